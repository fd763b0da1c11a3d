"""The benchmark scripts run, and show what the issues ask of them."""

import csv
import subprocess
import sys

import costs
import default_training
import modes
from places import BENCHMARKS


def test_the_default_training_reaches_a_mean_test_accuracy_of_097_over_20_seeds():
    assert default_training.report(seeds=20) >= 0.97


def test_forward_mode_stores_more_where_inputs_outnumber_outputs_and_less_where_not():
    """S14: forward stores ∂u/∂x and reverse ∂f/∂u at each vertex."""
    rows = {(row["n"], row["m"], row["mode"]): row for row in modes.measure([1, 256], depth=20)}
    peak = {key: row["peak_bytes"] for key, row in rows.items()}
    assert peak[256, 1, "forward"] > 2 * peak[256, 1, "reverse"]
    assert peak[1, 256, "forward"] < peak[1, 256, "reverse"] / 2
    assert all(row["seconds"] > 0 for row in rows.values())


def test_what_a_derivative_costs_is_bounded():
    """The least of three measurements, as other processes can only add to a time."""
    measured = [costs.ratios(repeat=10) for _ in range(3)]
    assert min(ratios["hvp in gradients"] for ratios in measured) <= 4
    assert min(ratios["vjp in gradients written by hand"] for ratios in measured) <= 1.5
    assert min(ratios["bundle in single columns"] for ratios in measured) <= 1


def test_the_speed_benchmark_compares_results_and_writes_a_table_a_csv_and_pictures(tmp_path):
    script = BENCHMARKS / "speed"
    options = ["--rounds", "2", "--only", "30", "convolution", "64-32-10", "Jacobian", "--quick"]
    systems = ["--systems", "NumPy by hand", "nnlite"]
    subprocess.run(
        [sys.executable, script, *options, *systems, "--out", tmp_path],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with open(tmp_path / "speed.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["system"] for row in rows} == {"NumPy by hand", "nnlite"}
    assert {row["work"].split()[0] for row in rows} == {
        "seminar", "perceptron", "convolution", "hvp", "Jacobian",
    }  # fmt: skip
    assert all(float(row["median_seconds"]) > 0 for row in rows)
    assert "Peak memory" in (tmp_path / "speed.txt").read_text(encoding="utf-8")
    assert (tmp_path / "speed.png").stat().st_size > 0
