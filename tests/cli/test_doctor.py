"""`nnlite doctor`, and the environment that the command line makes for itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnlite.cli.machine import doctor, kernels
from nnlite.cli.machine.blas import Blas, blas
from nnlite.cli.machine.doctor import ONE_THREAD, Trial, examine
from nnlite.cli.machine.kernels import AVX512, better_environment, chosen_too_old, first_processor

XEON = ("GenuineIntel", 6, 0x55)
HIDDEN = ("GenuineIntel", 6, 0x3F)
"""A virtual machine with AVX-512 that calls itself a Haswell."""


def cpuinfo(vendor, family, model, flags=AVX512 | {"avx2", "fma"}):
    """What Linux says of a machine with two such processors."""
    entries = {
        "processor": 0,
        "vendor_id": vendor,
        "cpu family": family,
        "model": model,
        "model name": "Some Processor @ 2.00GHz",
        "flags": " ".join(sorted(flags)),
        "bugs": "",
    }
    text = "".join(f"{name}\t: {value}\n" for name, value in entries.items())
    return f"{text}\n{text}"


@pytest.mark.parametrize(
    ("vendor", "family", "model"),
    [
        ("GenuineIntel", 6, 0x3C),  # Haswell
        ("GenuineIntel", 6, 0x4F),  # Broadwell server
        ("GenuineIntel", 6, 0x5E),  # Skylake client
        ("GenuineIntel", 6, 0x66),  # Cannon Lake
        ("GenuineIntel", 6, 0x9E),  # Coffee Lake
        ("GenuineIntel", 0xF, 6),  # a generic virtual processor
        ("GenuineIntel", 0x13, 1),  # a family of after 2025
        ("AuthenticAMD", 0xF, 6),  # a generic virtual processor
        ("AuthenticAMD", 0x17, 0x31),  # Zen 2
        ("HygonGenuine", 0x18, 0x10),
    ],
)
def test_avx512_behind_a_number_that_openblas_takes_for_older_is_pointed_out_to_it(
    vendor, family, model
):
    text = cpuinfo(vendor, family, model)
    assert better_environment({}, text)["OPENBLAS_CORETYPE"] == "SkylakeX"


@pytest.mark.parametrize(
    ("vendor", "family", "model"),
    [
        XEON,
        ("GenuineIntel", 6, 0x6A),  # Ice Lake server
        ("GenuineIntel", 6, 0x8F),  # Sapphire Rapids
        ("GenuineIntel", 6, 0xCF),  # Emerald Rapids
        ("GenuineIntel", 6, 0xAD),  # Granite Rapids
        ("AuthenticAMD", 0x19, 0x11),  # Zen 4
        ("AuthenticAMD", 0x1A, 0x02),  # Zen 5
        ("SomebodyElse", 6, 0x3F),
    ],
)
def test_where_openblas_looks_at_the_features_it_is_left_to_choose(vendor, family, model):
    assert "OPENBLAS_CORETYPE" not in better_environment({}, cpuinfo(vendor, family, model))


@pytest.mark.parametrize("missing", sorted(AVX512))
def test_a_processor_that_lacks_one_of_the_instructions_never_gets_the_kernels(missing):
    assert not chosen_too_old(cpuinfo(*HIDDEN, flags=AVX512 - {missing}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd evtstrm",  # 64-bit ARM
        "flags\t: " + " ".join(AVX512),
        cpuinfo("GenuineIntel", "six", "?"),
        "no colon at all",
    ],
)
def test_a_cpuinfo_that_says_too_little_changes_no_kernels(text):
    assert better_environment({}, text) == ONE_THREAD


def test_only_the_first_processor_is_read():
    assert first_processor(cpuinfo(*XEON) + cpuinfo(*HIDDEN))["model"] == str(0x55)


@pytest.mark.parametrize("own", ["", "Haswell"])
def test_kernels_that_the_user_has_set_stay(own):
    assert better_environment({"OPENBLAS_CORETYPE": own}, cpuinfo(*HIDDEN)) == ONE_THREAD


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"])
def test_threads_that_the_user_has_set_stay(name):
    assert better_environment({name: "8"}, cpuinfo(*XEON)) == {}


def test_the_environment_is_prepared_before_numpy_and_without_it():
    program = (
        "import os, sys; from nnlite.cli.machine import kernels; set_ = kernels.prepare(); "
        "assert 'numpy' not in sys.modules; import numpy; "
        "from nnlite.cli.machine.blas import blas; "
        "assert all(os.environ[name] == value for name, value in set_.items()); "
        "print(set_['OPENBLAS_NUM_THREADS'], blas().threads)"
    )
    environ = {"PATH": "", "PYTHONPATH": str(Path(kernels.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True)
    assert done.stderr == b""
    told, threads = done.stdout.split()
    assert told == b"1"
    assert threads in (b"1", b"None")  # None for a BLAS that cannot be asked


def test_it_is_too_late_once_numpy_is_loaded():
    assert np.__name__ in sys.modules
    environ: dict[str, str] = {}
    assert kernels.prepare(environ) == environ == {}


def test_numpys_blas_is_found():
    found = blas()
    assert found.name
    if found.name == "OpenBLAS":
        assert found.kernels
        assert found.threads is not None
        assert found.threads >= 1
        assert f"OpenBLAS {found.version}, {found.kernels} kernels" in str(found)


def test_a_blas_of_which_nothing_is_known_is_named():
    assert str(Blas("accelerate")) == "accelerate, kernels unknown, threads unknown"


def openblas(kernels, threads=1):
    return Blas("OpenBLAS", "0.3.30", kernels, threads)


def report(*trials, text=None, environ=None):
    """What `examine` makes of trials with these kernels, threads and seconds for two works."""
    text = cpuinfo(*XEON) if text is None else text

    def try_out(environ, candidates):
        return [
            Trial(settings, blas, dict(zip(("small", "large"), seconds, strict=True)))
            for settings, (blas, seconds) in zip(candidates, trials, strict=True)
        ]

    return examine(environ or {}, text, try_out)


def test_quicker_kernels_are_recommended_for_ones_own_scripts():
    found = report(
        (openblas("Haswell"), (1.0, 1.6)),
        (openblas("Haswell"), (1.0, 1.6)),
        (openblas("SkylakeX"), (1.0, 1.0)),
        (openblas("Haswell"), (1.0, 1.6)),
    )
    assert found.advice == {"OPENBLAS_CORETYPE": "SkylakeX"}
    assert "    export OPENBLAS_CORETYPE=SkylakeX\n" in str(found)
    assert "one thread, SkylakeX" in str(found)


def test_one_thread_is_recommended_where_more_cost_time():
    found = report(
        (openblas("SkylakeX", 64), (3.0, 0.5)),
        (openblas("SkylakeX"), (1.0, 1.0)),
        (openblas("SkylakeX"), (1.0, 1.0)),
        (openblas("Haswell"), (1.0, 1.6)),
    )
    assert found.advice == ONE_THREAD
    assert "large products may want more" in str(found)


@pytest.mark.parametrize("other", [(0.95, 1.0), (0.5, 1.5), (1.0, 1.6)])
def test_nothing_is_recommended_that_gains_little_or_costs_elsewhere(other):
    same = openblas("SkylakeX"), (1.0, 1.0)
    found = report(same, same, same, (openblas("Haswell"), other))
    assert found.advice == {}
    assert "Nothing to set" in str(found)


def test_kernels_that_the_processor_cannot_run_are_not_tried():
    old = cpuinfo(*XEON, flags={"avx2", "fma"})
    same = openblas("Haswell"), (1.0, 1.0)
    assert report(same, same, same, text=old).avx512 is False
    assert report(same, same, text="").avx512 is None


def test_of_another_blas_the_doctor_says_that_it_cannot_tell():
    mkl = Blas("mkl", "2025.0"), (1.0, 1.0)
    found = report(mkl, mkl, mkl, mkl)
    assert found.advice == {}
    assert "Could not tell whether mkl is as quick as it could be" in str(found)


def test_the_report_says_what_the_command_line_does_by_itself():
    same = openblas("SkylakeX"), (1.0, 1.0)
    found = report(same, same, same, same, text=cpuinfo(*HIDDEN))
    assert found.command_line == {"OPENBLAS_CORETYPE": "SkylakeX", **ONE_THREAD}
    assert "The command nnlite sets for itself: OPENBLAS_CORETYPE=SkylakeX" in str(found)
    settled = report(same, same, same, same, environ={"OPENBLAS_NUM_THREADS": "2"})
    assert settled.command_line == {}


def test_the_measurements_run_in_processes_of_their_own(monkeypatch, capsys):
    original = doctor.in_new_processes
    quickly = lambda environ, candidates: original(environ, candidates[:2], rounds=1)
    monkeypatch.setenv("PYTHONPATH", str(Path(doctor.__file__).parents[1]))
    monkeypatch.setattr(doctor, "in_new_processes", quickly)
    assert doctor.main(as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trials"][0]["blas"]["name"] == blas().name
    assert all(seconds > 0 for t in found["trials"] for seconds in t["seconds"].values())
    assert doctor.main() == 0
    assert "NumPy's BLAS: " in capsys.readouterr().out


def test_a_measurement_that_fails_is_told_with_its_message():
    with pytest.raises(RuntimeError, match=r"a measurement failed\n.*Python"):
        doctor.in_new_processes({"PYTHONHOME": "nowhere"}, [{}], rounds=1)


def test_the_command_judges_the_environment_of_scripts_and_not_its_own(tmp_path):
    """Without any setting a script has as many threads as there are; the command line has one."""
    paths = os.pathsep.join([str(Path(doctor.__file__).parents[2]), *sys.path])
    environ = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": paths}
    command = [sys.executable, "-m", "nnlite", "doctor", "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    program = "from nnlite.cli.machine.blas import blas; print(blas().threads)"
    bare = [sys.executable, "-c", program]
    threads = subprocess.run(bare, env=environ, capture_output=True, text=True).stdout.strip()
    found = json.loads(done.stdout)
    assert str(found["trials"][0]["blas"]["threads"]) == threads
    assert found["command_line"]["OPENBLAS_NUM_THREADS"] == "1"
