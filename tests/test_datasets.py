import contextlib
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
import sklearn.datasets  # type: ignore[import-untyped]
from numpy.typing import DTypeLike

from nnlite import datasets
from nnlite.datasets import DataError, Dataset, Standardizer, load_csv, shipped

ROOT = Path(__file__).parent.parent
BREAST_CANCER = ROOT / "data" / "breast_cancer.csv"
DIGITS = ROOT / "data" / "digits.csv.gz"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


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
        assert data.t.sum() == 212

    def test_digits_equal_scikit_learns_bit_for_bit(self) -> None:
        data = datasets.load_digits()
        theirs = sklearn.datasets.load_digits()
        assert data.X.tobytes() == theirs.data.tobytes()
        assert data.t.dtype == np.int64
        assert np.array_equal(data.t, theirs.target)
        assert data.feature_names == tuple(theirs.feature_names)
        assert data.class_names == tuple("0123456789")

    @pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_digits])
    def test_float32_is_float64_rounded_once(self, load: Callable[..., Dataset]) -> None:
        single, double = load(dtype=np.float32), load()
        assert single.X.dtype == np.float32
        assert np.array_equal(single.X, double.X.astype(np.float32))
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


class TestLoadCsv:
    @pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
    def test_finds_the_separator_in_the_header(self, table: Path, mark: str) -> None:
        table.write_text("a,b,t\n1,2,3\n4,5,6\n".replace(",", mark))
        data = load_csv(table, target="t")
        assert data.X.tolist() == [[1, 2], [4, 5]]
        assert data.t.tolist() == [[3], [6]]
        assert data.feature_names == ("a", "b")

    def test_finds_the_separator_though_quoted_names_hold_another(self, table: Path) -> None:
        table.write_text('"a, in mm, wet";"b";t\n1;2;3\n')
        assert load_csv(table, target="t").feature_names == ("a, in mm, wet", "b")

    def test_takes_the_target_from_any_column(self, table: Path) -> None:
        table.write_text("a,t,b\n1,2,3\n4,5,6\n")
        data = load_csv(table, target="t")
        assert data.X.tolist() == [[1, 3], [4, 6]]
        assert data.t.tolist() == [[2], [5]]
        assert data.feature_names == ("a", "b")

    def test_keeps_a_numeric_target_as_numbers(self, table: Path) -> None:
        table.write_text("a,price\n1,-2.5e3\n2,0\n")
        data = load_csv(table, target="price", dtype=np.float32)
        assert data.t.tolist() == [[-2500], [0]]
        assert data.t.dtype == np.float32
        assert data.class_names == ()

    def test_makes_two_classes_zero_and_one_in_the_order_of_their_names(self, table: Path) -> None:
        table.write_text("a,t\n1,yes\n2,no\n3, yes \n")
        data = load_csv(table, target="t", dtype=np.float32)
        assert data.t.tolist() == [[1], [0], [1]]
        assert data.t.dtype == np.float32
        assert data.class_names == ("no", "yes")

    def test_reads_true_and_false_in_any_case(self, table: Path) -> None:
        table.write_text("a,t\n1,True\n2,FALSE\n3,true\n")
        data = load_csv(table, target="t")
        assert data.t.tolist() == [[1], [0], [1]]
        assert data.class_names == ("false", "true")

    def test_makes_more_classes_integer_labels(self, table: Path) -> None:
        table.write_text("a,t\n1,pear\n2,apple\n3,fig\n4, apple \n")
        data = load_csv(table, target="t")
        assert data.t.tolist() == [2, 0, 1, 0]
        assert data.t.dtype == np.int64
        assert data.class_names == ("apple", "fig", "pear")

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbfa,t\r\n1,2\r\n3,4\r\n",
            b"a,t\r1,2\r3,4",
            b"\na,t\n\n1,2\n3,4\n\n",
            b' a ,"t"\n 1 ,"2"\n"3",4\n',
            gzip.compress(b"a,t\n1,2\n3,4\n"),
        ],
        ids=["windows", "old mac", "blank lines", "spaces and quotes", "gzip of any name"],
    )
    def test_reads_what_other_programs_write(self, table: Path, content: bytes) -> None:
        table.write_bytes(content)
        data = load_csv(str(table), target="t")
        assert data.X.tolist() == [[1], [3]]
        assert data.t.tolist() == [[2], [4]]
        assert data.feature_names == ("a",)


ADVICE = "correct the cell or delete the line"
LINE_ADVICE = "correct the line or delete it"
NUMBER = "expected a finite float64 number but found"
CELLS = "cells as in the header but found"
CUT = "Compressed file ended before the end-of-stream marker was reached"
# What the file holds, and what is said of it after its path.
BAD_TABLES = {
    "an empty file": (b"", " is empty; it needs a line of column names and then samples"),
    "a blank file": (b" \n\n", " is empty; it needs a line of column names and then samples"),
    "a header alone": (b"a,t\n", " has a header but no samples; add at least one line"),
    "a target alone": (b"t\n1\n", " has no column but the target 't'; add a feature"),
    "no such target": (
        b"a,b,T\n1,2,3\n",
        " has no column 't'; the target must be one of 'a', 'b', 'T'",
    ),
    "a name twice": (
        b"a,b,a,t\n1,2,3,4\n",
        ", line 1, column 3: the name 'a' is taken; give each column a name of its own",
    ),
    "no name": (
        b",a,t\n1,2,3\n",
        ", line 1, column 1: the name '' is empty; give each column a name of its own",
    ),
    "a short line": (
        b"a,b,t\n1,2,3\n1,2\n",
        f", line 3: expected 3 {CELLS} 2, '1,2'; {LINE_ADVICE}",
    ),
    "a long line": (
        b"a;t\n1;2\n\n3;4;5\n",
        f", line 4: expected 2 {CELLS} 3, '3;4;5'; {LINE_ADVICE}",
    ),
    "text in a feature": (
        b"a,b,t\n1,2,3\n4,five,6\n",
        f", line 3, column 'b': {NUMBER} 'five'; {ADVICE}",
    ),
    "long text in a feature": (
        b"a,t\n" + b"x" * 1000 + b",1\n",
        f", line 2, column 'a': {NUMBER} '{'x' * 60}…'; {ADVICE}",
    ),
    "digits joined by _": (b"a,t\n12_5,1\n", f", line 2, column 'a': {NUMBER} '12_5'; {ADVICE}"),
    "a decimal comma": (b"a;t\n1,5;1\n", f", line 2, column 'a': {NUMBER} '1,5'; {ADVICE}"),
    "an empty feature": (b"a,t\n1,2\n,3\n", f", line 3, column 'a': {NUMBER} ''; {ADVICE}"),
    "a feature of NaN": (b"a,t\nNaN,1\n", f", line 2, column 'a': {NUMBER} 'NaN'; {ADVICE}"),
    "an infinite feature": (b"a,t\n-inf,1\n", f", line 2, column 'a': {NUMBER} '-inf'; {ADVICE}"),
    "too large a feature": (b"a,t\n1e999,1\n", f", line 2, column 'a': {NUMBER} '1e999'; {ADVICE}"),
    "text in a numeric target": (
        b"a,t\n1,2\n3,x\n",
        f", line 3, column 't': {NUMBER} 'x'; {ADVICE}",
    ),
    "an infinite target": (b"a,t\n1,2\n3,inf\n", f", line 3, column 't': {NUMBER} 'inf'; {ADVICE}"),
    "an empty target": (b"a,t\n1,2\n3,\n", f", line 3, column 't': {NUMBER} ''; {ADVICE}"),
    "no target at all": (
        b"a,t\n1,\n3,\n",
        f", line 2, column 't': expected a class name but found ''; {ADVICE}",
    ),
    "an empty class": (
        b"a,t\n1,no\n2,yes\n3, \n",
        f", line 4, column 't': expected a class name but found ' '; {ADVICE}",
    ),
    "a class of NaN": (
        b"a,t\n1,no\n2,nan\n3,yes\n",
        f", line 3, column 't': expected a class name but found 'nan'; {ADVICE}",
    ),
    "one class": (
        b"a,t\n1,no\n2,no\n",
        ", column 't': 'no' is the only class in 2 samples; add samples of another class",
    ),
    "an open quotation": (
        b'a,t\n1,"no\n2,yes\n',
        ", line 3: unexpected end of data; check the quotation marks",
    ),
    "Latin-1": (
        "a,t\n1,no\n2,nö\n".encode("latin-1"),
        ", line 3: byte 0xf6 is not UTF-8 text; save the table as a CSV file in UTF-8",
    ),
    "UTF-16": (
        "a,t\n1,2\n".encode("utf-16"),
        ", line 1: byte 0xff is not UTF-8 text; save the table as a CSV file in UTF-8",
    ),
    "a picture": (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        ", line 1: byte 0x89 is not UTF-8 text; save the table as a CSV file in UTF-8",
    ),
    "zero bytes": (
        b"a,t\n1,\0\n",
        ", line 2: a zero byte, so this is binary, not text; save the table as a CSV file in UTF-8",
    ),
    "half a gzip file": (
        gzip.compress(b"a,t\n1,2\n")[:20],
        f" is a damaged gzip file ({CUT}); get a new copy",
    ),
}


class TestABadTable:
    @pytest.mark.parametrize(("content", "sentence"), BAD_TABLES.values(), ids=BAD_TABLES)
    def test_is_answered_with_one_sentence(
        self, table: Path, content: bytes, sentence: str
    ) -> None:
        table.write_bytes(content)
        with pytest.raises(DataError) as error:
            load_csv(table, target="t")
        assert str(error.value) == f"{table}{sentence}"

    def test_may_be_good_in_float64_and_too_large_for_float32(self, table: Path) -> None:
        table.write_text("a,t\n1e300,1\n")
        assert load_csv(table, target="t").X.tolist() == [[1e300]]
        with pytest.raises(DataError, match="expected a finite float32 number but found '1e300'"):
            load_csv(table, target="t", dtype=np.float32)

    def test_may_not_be_there(self, table: Path) -> None:
        with pytest.raises(DataError) as error:
            load_csv(table, target="t")
        assert str(error.value) == (
            f"{table} cannot be read (No such file or directory); check the path"
        )

    def test_may_be_a_folder(self, tmp_path: Path) -> None:
        reason = "Permission denied" if sys.platform == "win32" else "Is a directory"
        with pytest.raises(DataError) as error:
            load_csv(tmp_path, target="t")
        assert str(error.value) == f"{tmp_path} cannot be read ({reason}); check the path"

    def test_cut_or_altered_in_gzip_is_refused_at_every_byte(self, table: Path) -> None:
        good = gzip.compress(b"a,t\n1,2\n3,4\n", mtime=0)
        for end in range(len(good)):
            table.write_bytes(good[:end])
            with pytest.raises(DataError):
                load_csv(table, target="t")
        for i in range(10, len(good)):
            table.write_bytes(good[:i] + bytes([good[i] ^ 0xFF]) + good[i + 1 :])
            with pytest.raises(DataError, match="damaged gzip file"):
                load_csv(table, target="t")

    def test_of_random_bytes_raises_nothing_but_a_data_error(self, table: Path) -> None:
        rng = np.random.default_rng(0)
        alphabet = np.frombuffer(b'at,;\t\n\r"01.eE-+_ \0\xff', np.uint8)
        for _ in range(300):
            table.write_bytes(b"a,t\n"[: rng.integers(5)] + rng.choice(alphabet, 20).tobytes())
            with contextlib.suppress(DataError):
                load_csv(table, target="t")

    @pytest.mark.parametrize("dtype", [int, complex, str, object])
    def test_is_not_made_of_a_dtype_without_fractions(self, dtype: DTypeLike) -> None:
        with pytest.raises(TypeError, match="dtype must be a float dtype such as"):
            datasets.load_breast_cancer(dtype=dtype)


def numbered(m: int) -> Dataset:
    """Return m samples that carry their number in both features and in the target."""
    number = np.arange(float(m))[:, None]
    return Dataset(np.hstack([number, -number]), number.copy(), ("a", "b"), target_name="number")


class TestDataset:
    def test_unpacks_into_features_and_target(self) -> None:
        data = numbered(3)
        X, t = data
        assert X is data.X
        assert t is data.t
        assert len(data) == 3

    def test_shows_its_size_and_its_target(self) -> None:
        assert repr(numbered(3)) == "<Dataset: 3 samples, 2 features, target 'number'>"
        assert repr(datasets.load_breast_cancer()) == (
            "<Dataset: 569 samples, 30 features, target 'diagnosis' (benign, malignant)>"
        )

    @pytest.mark.parametrize(
        ("X", "t"), [((3, 2), (4, 1)), ((3, 1), (3, 1)), ((3,), (3, 1)), ((3, 2, 1), (3, 1))]
    )
    def test_refuses_sizes_that_do_not_fit(self, X: tuple[int, ...], t: tuple[int, ...]) -> None:
        with pytest.raises(DataError) as error:
            Dataset(np.ones(X), np.ones(t), ("a", "b"))
        assert str(error.value) == (
            f"X must have the shape (samples, features), here ({t[0]}, 2) as t and feature_names "
            f"say, but it has {X}"
        )


class TestSplit:
    @pytest.mark.parametrize(
        ("m", "test", "sizes"), [(569, 0.2, (455, 114)), (2, 0.5, (1, 1)), (10, 0.9, (1, 9))]
    )
    def test_gives_the_test_part_its_share(
        self, m: int, test: float, sizes: tuple[int, int]
    ) -> None:
        parts = numbered(m).split(test=test, rng=0)
        assert tuple(map(len, parts)) == sizes

    def test_puts_every_sample_into_one_part_beside_its_own_target(self) -> None:
        data = numbered(50)
        train, test = data.split(test=0.3, rng=0)
        for part in (train, test):
            assert np.array_equal(part.X, np.hstack([part.t, -part.t]))
            assert part.feature_names == data.feature_names
            assert part.target_name == data.target_name
        assert sorted([*train.t[:, 0], *test.t[:, 0]]) == list(range(50))

    def test_shuffles_and_leaves_the_whole_as_it_was(self) -> None:
        data = numbered(50)
        train, _ = data.split(rng=0)
        assert train.t[:, 0].tolist() != sorted(train.t[:, 0])
        assert np.array_equal(data.X, numbered(50).X)
        train.X[:] = -1
        assert np.array_equal(data.X, numbered(50).X)

    def test_of_the_same_seed_is_the_same(self) -> None:
        first, second, other = (numbered(50).split(rng=seed)[1].t.tolist() for seed in (1, 1, 2))
        generator = np.random.default_rng(1)
        assert first == second == numbered(50).split(rng=generator)[1].t.tolist()
        assert first != other
        assert first != numbered(50).split(rng=generator)[1].t.tolist()

    @pytest.mark.parametrize("test", [0.0, 1.0, -0.5, 1.5, 0.04, 0.96, float("nan")])
    def test_refuses_an_empty_part(self, test: float) -> None:
        with pytest.raises(DataError) as error:
            numbered(10).split(test=test, rng=0)
        assert str(error.value) == (
            f"test={test} of 10 samples leaves the training or the test part empty; "
            "give a share between 0 and 1 that is at least one sample"
        )


class TestStandardizer:
    def test_gives_each_training_column_mean_zero_and_deviation_one(self) -> None:
        train, _ = datasets.load_breast_cancer().split(rng=0)
        Z = Standardizer.fit(train.X)(train.X)
        # A mean of m numbers is off by at most m ulps of the largest (Higham 2002, eq. 4.4).
        largest = (np.abs(train.X) / train.X.std(axis=0)).max()
        rounding = len(train) * np.finfo(np.float64).eps * largest
        assert np.abs(Z.mean(axis=0)).max() < rounding
        assert np.abs(Z.std(axis=0) - 1).max() < rounding

    def test_knows_nothing_of_the_test_part(self) -> None:
        train, test = datasets.load_breast_cancer().split(rng=0)
        standardize = Standardizer.fit(train.X)
        assert np.array_equal(standardize(test.X), (test.X - train.X.mean(0)) / train.X.std(0))

    @pytest.mark.parametrize("value", [0.0, 0.1, 1e17, -1e-300])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_makes_a_constant_column_exactly_zero(self, value: float, dtype: DTypeLike) -> None:
        X = np.full((7, 1), value, dtype)
        standardize = Standardizer.fit(X)
        assert standardize.scale == 1
        assert np.array_equal(standardize(X), np.zeros_like(X))

    def test_keeps_float32_and_writes_into_nothing(self) -> None:
        X = np.random.default_rng(0).normal(5, 3, (20, 4)).astype(np.float32)
        before = X.copy()
        standardize = Standardizer.fit(X.astype(np.float64))
        assert standardize(X).dtype == np.float32
        assert np.array_equal(X, before)

    @pytest.mark.parametrize(
        "X",
        [
            np.ones(3),
            np.ones((0, 3)),
            np.ones((3, 2), int),
            np.ones((3, 2), object),
        ],
        ids=["one axis", "no sample", "integers", "objects"],
    )
    def test_is_fitted_to_finite_floats_alone(self, X: np.ndarray) -> None:
        with pytest.raises(DataError) as error:
            Standardizer.fit(X)
        assert str(error.value) == (
            "a Standardizer is fitted to finite floats of shape (samples, features) with at least "
            f"one sample, not to this array of shape {X.shape} and dtype {X.dtype}"
        )

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_names_the_first_number_that_is_not_finite(self, bad: float) -> None:
        X = np.ones((50_000, 30))
        X[[40_000, 40_001], 7] = bad
        with pytest.raises(DataError) as error:
            Standardizer.fit(X)
        assert str(error.value) == (
            "a Standardizer is fitted to finite floats, but row 40000, column 7 (both from 0) is "
            f"{bad}; correct the number or leave the row out"
        )

    @pytest.mark.parametrize("m", [1, 2, 8738, 8739, 20_000])
    def test_measures_in_pieces_what_it_would_measure_at_once(self, m: int) -> None:
        # 30 columns of float64: pieces of 2 MiB, 8738 rows. The columns' spreads differ by 1e12,
        # and their means are up to 1e6 times as large as their spreads.
        rng = np.random.default_rng(0)
        spread, mean = np.logspace(-6, 6, 30), np.logspace(0, 9, 30)
        X = mean + spread * rng.standard_normal((m, 30))
        standardize = Standardizer.fit(X)
        exact = X.astype(np.longdouble)
        off = np.abs(standardize.mean - exact.mean(axis=0))
        # Summing the rows one by one rounds each time: m/2 ulps at most (Higham 2002, eq. 4.4).
        assert (off <= m * np.finfo(np.float64).eps * np.abs(exact).max(axis=0)).all()
        if m > 1:
            scale = exact.std(axis=0)
            off = np.abs(standardize.scale - scale)
            # Each deviation inherits the rounding of the mean and of the subtraction.
            eps = np.finfo(np.float64).eps
            assert (off <= m * eps * (scale + eps * np.abs(exact).max(axis=0))).all()

    @pytest.mark.parametrize("X", [np.ones((3, 1)), np.ones(2), np.ones((3, 2), int)])
    def test_refuses_what_it_was_not_fitted_to(self, X: np.ndarray) -> None:
        standardize = Standardizer.fit(np.ones((3, 2)))
        with pytest.raises(DataError) as error:
            standardize(X)
        assert str(error.value) == (
            "this Standardizer wants floats of shape (samples, 2) but got "
            f"shape {X.shape} and dtype {X.dtype}"
        )

    def test_refuses_values_whose_spread_is_no_float(self) -> None:
        X = np.array([[1.0, 1e300], [2.0, -1e300]])
        with pytest.raises(DataError, match="column 2 are too large"):
            Standardizer.fit(X)
