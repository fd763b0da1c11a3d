"""CSV files that are read a block at a time: what may go wrong, wherever in the file it is."""

import gzip
import tracemalloc

import numpy as np
import pytest

from nnlite.datasets.table import read_table
from nnlite.files.errors import DataError

FLOAT64 = np.dtype(np.float64)
LINES = 30_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.csv"


def long_table(**lines):
    """A table of many lines, some of which are others: ``line_7="1,2"``."""
    text = ["a,b,t"] + [f"{i},{-i},{'yes' if i % 2 else 'no'}" for i in range(LINES)]
    for name, line in lines.items():
        text[int(name.removeprefix("line_")) - 1] = line
    return "\n".join(text) + "\n"


def refusal(path, **arguments):
    with pytest.raises(DataError) as error:
        read_table(path, FLOAT64, **arguments)
    return str(error.value)


class TestALongTable:
    @pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
    def test_is_read_whole(self, path, pack):
        path.write_bytes(pack(long_table().encode()))
        table = read_table(path, FLOAT64, target="t")
        assert np.array_equal(table.X[:, 0], np.arange(LINES))
        assert np.array_equal(table.X[:, 1], -np.arange(LINES))
        assert table.names == ("a", "b")
        assert table.values[:].tolist() == ["no", "yes"] * (LINES // 2)
        assert table.target.lines == list(range(2, LINES + 2))

    @pytest.mark.parametrize("line", [2, 21_846, 21_847, LINES + 1])
    def test_names_the_line_of_whatever_is_wrong(self, path, line):
        """A block has 65,536 cells, which are 21,845 lines of this table."""
        for wrong, words in {
            "1,x,no": ", column 'b': expected a finite float64 number but found 'x'",
            "1,nan,no": ", column 'b': expected a finite float64 number but found 'nan'",
            "1,2": ": expected 3 cells as in the header but found 2, '1,2'",
            "1,2,\0": ": a zero byte, so this is binary, not text",
            '1,"2"3,no': ": ',' expected after '\"'; check the quotation marks",
        }.items():
            path.write_text(long_table(**{f"line_{line}": wrong}))
            assert refusal(path, target="t").startswith(f"{path}, line {line}{words}")

    @pytest.mark.parametrize("line", [1, 2, 300, 21_846, LINES + 1])
    def test_names_the_line_of_a_byte_that_is_no_text(self, path, line):
        content = long_table(**{f"line_{line}": "1,2,ma\xf1ana"}).encode("latin-1")
        path.write_bytes(content)
        assert refusal(path, target="t") == (
            f"{path}, line {line}: byte 0xf1 is not UTF-8 text; save the table as a CSV file in "
            "UTF-8"
        )

    def test_in_damaged_gzip_is_called_damaged_and_not_wrong(self, path):
        packed = bytearray(gzip.compress(long_table().encode()))
        packed[len(packed) // 2] ^= 0xFF
        path.write_bytes(packed)
        assert "is a damaged gzip file" in refusal(path, target="t")

    def test_takes_little_more_memory_than_its_numbers(self, path):
        """Beside X, 16 bytes a sample, a class name is kept once and a line number for each."""
        path.write_text(long_table())
        tracemalloc.start()
        table = read_table(path, FLOAT64, target="t")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # X twice, as it is put together; two references and an int a sample; a block in work,
        # whose 65,536 cells have at most 64 bytes each, three times over.
        assert peak < 2 * table.X[:].nbytes + LINES * (8 + 8 + 32) + 3 * 64 * 2**16


class TestALineWithoutAnEnd:
    def test_is_not_read_to_its_end(self, path):
        packed = gzip.compress(b"a,t\n" + b"1" * 2**26)
        assert len(packed) < 2**17
        path.write_bytes(packed)
        tracemalloc.start()
        message = refusal(path, target="t")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert message == (
            f"{path}, line 2: a line of 16,777,216 characters or more is not one of a table; save "
            "a very wide table as .npy"
        )
        assert peak < 4 * 2**24


class TestTheColumns:
    def test_that_are_not_asked_for_may_hold_anything(self, path):
        path.write_text("name,a,b\nAda,1,2\n,3,inf\n")
        assert read_table(path, FLOAT64, features=["a"]).X[:].tolist() == [[1], [3]]

    def test_are_listed_when_one_is_missing_but_not_hundreds(self, path):
        path.write_text(",".join(f"c{i}" for i in range(300)) + "\n" + "1," * 299 + "1\n")
        assert refusal(path, features=["c299", "z"]) == (
            f"{path} has no column 'z', which is one of the 2 features wanted; its columns are "
            + ", ".join(f"'c{i}'" for i in range(20))
            + ", …"
        )
