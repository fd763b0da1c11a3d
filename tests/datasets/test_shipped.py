"""The data sets that come with nnlite."""

import csv
import gzip
import io
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from places import ROOT

from nnlite import datasets
from nnlite.datasets import DataError, Dataset, shipped

BREAST_CANCER = ROOT / "data" / "breast_cancer.csv"
DIGITS = ROOT / "data" / "digits.csv.gz"


class TestTheFilesInTheRepository:
    def test_are_recreated_byte_for_byte_by_the_code_in_their_readme(self, tmp_path: Path) -> None:
        readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
        made = tmp_path / DIGITS.name
        assert (tmp_path / BREAST_CANCER.name).read_bytes() == BREAST_CANCER.read_bytes()
        assert gzip.decompress(made.read_bytes()) == gzip.decompress(DIGITS.read_bytes())
        if "zlib-ng" not in zlib.ZLIB_RUNTIME_VERSION:
            assert made.read_bytes() == DIGITS.read_bytes()

    def test_tell_no_time_and_no_name_in_their_gzip_header(self) -> None:
        flags_and_time = DIGITS.read_bytes()[3:8]
        assert flags_and_time == bytes(5)

    @pytest.mark.parametrize("path", [BREAST_CANCER, DIGITS], ids=lambda path: path.name)
    def test_write_each_number_as_short_as_it_can_be_written(self, path: Path) -> None:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path == DIGITS else content).decode("ascii")
        for row in list(csv.reader(io.StringIO(text)))[1:]:
            assert row[:-1] == [repr(float(cell)).removesuffix(".0") for cell in row[:-1]]


class TestTheShippedData:
    def test_breast_cancer_equals_scikit_learns_bit_for_bit(self) -> None:
        X, t = datasets.load_breast_cancer()
        theirs = sklearn.datasets.load_breast_cancer()
        assert X.tobytes() == theirs.data.tobytes()
        assert t.tobytes() == (theirs.target == 0).astype(np.float64).tobytes()
        assert t.shape == (569, 1)

    def test_breast_cancer_names_its_columns_and_counts_malignant_as_one(self) -> None:
        data = datasets.load_breast_cancer()
        names = [
            name.replace(" ", "_") for name in sklearn.datasets.load_breast_cancer().feature_names
        ]
        assert data.feature_names == tuple(names)
        assert data.class_names == ("benign", "malignant")
        assert data.target_name == "diagnosis"
        assert data.t[:].sum() == 212

    def test_digits_equal_scikit_learns_bit_for_bit(self) -> None:
        data = datasets.load_digits()
        theirs = sklearn.datasets.load_digits()
        assert data.X[:].tobytes() == theirs.data.tobytes()
        assert data.t.dtype == np.int64
        assert np.array_equal(data.t, theirs.target)
        assert data.feature_names == tuple(theirs.feature_names)
        assert data.class_names == tuple("0123456789")

    @pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_digits])
    def test_float32_is_float64_rounded_once(self, load: Callable[..., Dataset]) -> None:
        single, double = load(dtype=np.float32), load()
        assert single.X.dtype == np.float32
        assert np.array_equal(single.X, double.X[:].astype(np.float32))
        assert single.t.dtype == (np.int64 if single.t.ndim == 1 else np.float32)
        assert np.array_equal(single.t, double.t)

    def test_is_found_from_any_folder(self, tmp_path: Path) -> None:
        code = "from nnlite import datasets as d; print(d.__file__, len(d.load_breast_cancer()))"
        answer = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout == f"{ROOT / 'nnlite' / 'datasets' / '__init__.py'} 569\n"

    def test_is_found_inside_an_installed_package_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = tmp_path / "nnlite"
        for folder, samples in [(package / "data", 2), (tmp_path / "data", 3)]:
            folder.mkdir(parents=True)
            rows = "1,benign\n" * (samples - 1) + "2,malignant\n"
            (folder / "breast_cancer.csv").write_text("mean_radius,diagnosis\n" + rows)
        monkeypatch.setattr(shipped, "__file__", str(package / "datasets" / "shipped.py"))
        assert len(datasets.load_breast_cancer()) == 2

    def test_says_where_it_looked_if_it_is_nowhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = tmp_path / "nnlite" / "datasets" / "shipped.py"
        monkeypatch.setattr(shipped, "__file__", str(place))
        with pytest.raises(DataError) as error:
            datasets.load_digits()
        assert str(error.value) == (
            f"digits.csv.gz is neither at {tmp_path / 'nnlite' / 'data' / 'digits.csv.gz'} nor at "
            f"{tmp_path / 'data' / 'digits.csv.gz'}; install nnlite again"
        )
