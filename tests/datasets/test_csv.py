"""CSV files, good and bad."""

import contextlib
import gzip
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import DTypeLike

from nnlite import datasets
from nnlite.datasets import DataError, load_csv


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


class TestLoadCsv:
    @pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
    def test_finds_the_separator_in_the_header(self, table: Path, mark: str) -> None:
        table.write_text("a,b,t\n1,2,3\n4,5,6\n".replace(",", mark))
        data = load_csv(table, target="t")
        assert data.X[:].tolist() == [[1, 2], [4, 5]]
        assert data.t[:].tolist() == [[3], [6]]
        assert data.feature_names == ("a", "b")

    def test_finds_the_separator_though_quoted_names_hold_another(self, table: Path) -> None:
        table.write_text('"a, in mm, wet";"b";t\n1;2;3\n')
        assert load_csv(table, target="t").feature_names == ("a, in mm, wet", "b")

    def test_takes_the_target_from_any_column(self, table: Path) -> None:
        table.write_text("a,t,b\n1,2,3\n4,5,6\n")
        data = load_csv(table, target="t")
        assert data.X[:].tolist() == [[1, 3], [4, 6]]
        assert data.t[:].tolist() == [[2], [5]]
        assert data.feature_names == ("a", "b")

    def test_keeps_a_numeric_target_as_numbers(self, table: Path) -> None:
        table.write_text("a,price\n1,-2.5e3\n2,0\n")
        data = load_csv(table, target="price", dtype=np.float32)
        assert data.t[:].tolist() == [[-2500], [0]]
        assert data.t.dtype == np.float32
        assert data.class_names == ()

    def test_makes_two_classes_zero_and_one_in_the_order_of_their_names(self, table: Path) -> None:
        table.write_text("a,t\n1,yes\n2,no\n3, yes \n")
        data = load_csv(table, target="t", dtype=np.float32)
        assert data.t[:].tolist() == [[1], [0], [1]]
        assert data.t.dtype == np.float32
        assert data.class_names == ("no", "yes")

    def test_reads_true_and_false_in_any_case(self, table: Path) -> None:
        table.write_text("a,t\n1,True\n2,FALSE\n3,true\n")
        data = load_csv(table, target="t")
        assert data.t[:].tolist() == [[1], [0], [1]]
        assert data.class_names == ("false", "true")

    def test_makes_more_classes_integer_labels(self, table: Path) -> None:
        table.write_text("a,t\n1,pear\n2,apple\n3,fig\n4, apple \n")
        data = load_csv(table, target="t")
        assert data.t[:].tolist() == [2, 0, 1, 0]
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
        assert data.X[:].tolist() == [[1], [3]]
        assert data.t[:].tolist() == [[2], [4]]
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
        assert load_csv(table, target="t").X[:].tolist() == [[1e300]]
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
