"""A checkpoint is whole or refused, one process writes at a time, and a full disk loses nothing."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from nnlite.core.generators import generators_of
from nnlite.files.archive import read_npz, write_npz
from nnlite.files.checkpoint import CheckpointError, Checkpoints, read_checkpoint, write_checkpoint
from nnlite.files.lock import Lock, LockedError
from nnlite.files.state import pack, unpack

STATE: dict[str, Any] = {
    "step": 12,
    "rate": 0.1 + 0.2,
    "none": None,
    "texts": ["array of words", "text ω", "", "plain"],
    "limits": [float("inf"), -0.0, 5e-324, 2**127 + 1],
    "weights": {"linear.weight": np.asfortranarray(np.eye(3) / 3), "one": np.float32(0.1)},
    "empty": {"dict": {}, "list": [], "array": np.zeros((0, 2), np.int8)},
}


def same(a: Any, b: Any) -> bool:
    """Equal in kind and in every bit."""
    if isinstance(a, np.ndarray | np.generic):
        a, b = np.asarray(a), np.asarray(b)
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "a.npz", STATE)
    return tmp_path / "a.npz"


def test_a_state_comes_back_with_every_bit(path: Path) -> None:
    assert same(STATE, read_checkpoint(path))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda items: st.lists(items) | st.dictionaries(st.text(), items),
)


@settings(max_examples=50, deadline=None)
@given(json_values)
def test_any_state_is_packed_and_unpacked_without_loss(state: Any) -> None:
    assert same(state, unpack(*pack(state)))


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({"a": [object()]}, "object at 'a/0'; it is made of numbers"),
        ({"a": {1: 2}}, "the key 1 at 'a'; names are texts"),
        ({"a": np.array([None])}, "an array of Python objects at 'a'"),
    ],
)
def test_what_a_checkpoint_cannot_hold_is_named(state: Any, complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        pack(state)


def test_the_same_state_gives_the_same_bytes(path: Path) -> None:
    write_checkpoint(path.with_name("b.npz"), STATE)
    assert path.read_bytes() == path.with_name("b.npz").read_bytes()


def test_a_checkpoint_is_an_ordinary_npz_of_arrays_and_a_text(path: Path) -> None:
    with np.load(path) as file:
        assert file["state/weights/one"] == np.float32(0.1)
        text = json.loads(file["state"].tobytes())
    assert text["format"] == "nnlite checkpoint"
    assert text["state"]["rate"] == 0.1 + 0.2


def test_every_altered_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for place in range(0, len(content), 11):
        altered = bytearray(content)
        altered[place] ^= 1 + place % 255
        path.write_bytes(altered)
        with pytest.raises(CheckpointError, match=r"a\.npz is cut off, altered, or no checkpoint"):
            read_checkpoint(path)


def test_a_checkpoint_that_is_cut_off_anywhere_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in range(0, len(content), 13):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="its check sum is wrong; delete it"):
            read_checkpoint(path)
    path.write_bytes(content + b"\n")
    with pytest.raises(CheckpointError, match="its check sum is wrong"):
        read_checkpoint(path)


def signed(path: Path, arrays: dict[str, Any]) -> None:
    """A file with a right check sum that `write_checkpoint` did not write."""
    import hashlib

    from nnlite.files.archive import write_archive

    with open(path, "wb") as file:
        write_archive(file, arrays, comment=b"0" * 64)
    content = path.read_bytes()[:-64]
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def text(content: Any) -> Any:
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


FOREIGN = {
    "other arrays": ({"x": np.zeros(2)}, "is not a checkpoint"),
    "no text": ({"state": np.frombuffer(b"{", np.uint8)}, "is not a checkpoint"),
    "nested": ({"state": np.frombuffer(b"[" * 10**5, np.uint8)}, "too deeply nested"),
    "other text": ({"state": text({"a": 1})}, "is not a checkpoint"),
    "a list": ({"state": text([1])}, "is not a checkpoint"),
    "format": ({"state": text({"format": "zip", "version": 1, "state": 1})}, "format is 'zip'"),
    "an array that is missing": (
        {"state": text({"format": "nnlite checkpoint", "version": 1, "state": "array x"})},
        "the array 'x' is missing",
    ),
    "a later version": (
        {"state": text({"format": "nnlite checkpoint", "version": 2, "state": {}})},
        "of version 2 of the format and this program reads version 1",
    ),
}


@pytest.mark.parametrize(("arrays", "complaint"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused_though_its_check_sum_be_right(
    tmp_path: Path, arrays: dict[str, Any], complaint: str
) -> None:
    signed(tmp_path / "a.npz", arrays)
    with pytest.raises(CheckpointError, match=complaint) as caught:
        read_checkpoint(tmp_path / "a.npz")
    assert str(tmp_path / "a.npz") in str(caught.value)


def test_an_npz_without_a_check_sum_is_refused(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", {"x": np.zeros(100)})
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_checkpoint(tmp_path / "a.npz")


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"a\.npz cannot be read \(No such file"):
        read_checkpoint(tmp_path / "a.npz")


def test_the_newest_few_stay_and_what_an_abandoned_run_left_goes(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    assert checkpoints.paths() == []
    for step in (3, 6, 9, 120):
        checkpoints.write(step, {"step": step})
    assert [step for step, _ in checkpoints.paths()] == [120, 9]
    (tmp_path / ".checkpoint-000000012.npz.0123.tmp").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    checkpoints.write(12, {"step": 12})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-000000009.npz",
        "checkpoint-000000012.npz",
        "notes.txt",
    ]


def test_a_full_disk_is_told_and_the_old_checkpoint_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot be written.*No space left.*untouched") as caught:
        write_checkpoint(path, {"step": 13})
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_real_limit_on_the_size_of_files_is_survived(path: Path) -> None:
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        with pytest.raises(OSError, match="the checkpoint cannot be written"):
            write_checkpoint(path, {"weights": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_second_process_is_kept_out_and_a_dead_one_keeps_nobody_out(tmp_path: Path) -> None:
    program = (
        "import sys, time; from nnlite.files.lock import Lock\n"
        "with Lock(sys.argv[1]): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with pytest.raises(
            LockedError, match=rf"another run is at work in .* \(process {other.pid}\); wait"
        ):
            Lock(tmp_path).__enter__()
    finally:
        other.kill()
        other.communicate()
    with Lock(tmp_path):
        pass


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Lock(tmp_path / "new" / "folder"):
        raise KeyError
    with Lock(tmp_path / "new" / "folder"):
        pass


def test_generators_are_found_once_wherever_an_attribute_holds_them() -> None:
    class Owner:
        def __init__(self, **kwargs: Any) -> None:
            vars(self).update(kwargs)

    a, b, c = (np.random.default_rng(seed) for seed in range(3))
    owners = [Owner(x=1, rng=a), Owner(many=[b, (a, {"c": c})]), None, Owner(rng=a)]
    assert generators_of(owners) == [a, b, c]


def test_reading_a_checkpoint_warns_of_nothing(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_npz(path)["state/weights/one"] == np.float32(0.1)


def test_links_in_a_run_from_somebody_else_are_not_followed(tmp_path):
    (tmp_path / "victim.txt").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(tmp_path / "victim.txt")
    with pytest.raises(LockedError, match="is a link"), Lock(tmp_path / "run"):
        pass
    assert (tmp_path / "victim.txt").read_text() == "mine"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "checkpoints").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="is a link"):
        Checkpoints(tmp_path / "run" / "checkpoints").paths()


def test_a_lock_that_cannot_be_written_is_free_again(tmp_path, monkeypatch):
    def full(descriptor, text):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"), Lock(tmp_path):
            pass
    with Lock(tmp_path):
        pass
