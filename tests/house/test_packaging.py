"""What is installed: the wheel, built from the checkout."""

import re
import subprocess
import sys
import time
import zipfile

import pytest
from places import ROOT

import nnlite as nn


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder into which the wheel is unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", str(folder), str(source)], check=True)
    (wheel,) = folder.glob("nnlite_numpy-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_finds_its_data_from_any_folder(site, tmp_path):
    code = (
        "import nnlite as nn; X, t = nn.datasets.load_breast_cancer(); print(nn.__file__, X.shape);"
        "print(nn.datasets.load_digits().X.shape)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"{site / 'nnlite' / '__init__.py'} (569, 30)\n(1797, 64)\n"


def test_the_wheel_is_typed_and_holds_each_module_of_the_checkout(site):
    assert (site / "nnlite" / "py.typed").exists()
    listed = subprocess.run(
        ["git", "ls-files", "nnlite"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [name for name in listed.stdout.split() if not (site / name).exists()] == []


def test_the_version_is_the_same_everywhere(site):
    (metadata,) = site.glob("*.dist-info/METADATA")
    assert f"Version: {nn.__version__}\n" in metadata.read_text()


def test_every_public_name_is_where_the_package_says_and_is_typed():
    listed = {name for name in nn.__all__ if name != "__version__"}  # type: ignore[attr-defined]
    assert {name for name in listed if getattr(nn, name) is None} == set()
    assert listed <= {*dir(nn)}


def test_every_class_and_function_of_the_catalogue_is_public():
    """Those without an underscore in layers, losses, regularisers, optimisers and schedules."""
    defined = set()
    for folder in ("layers", "optim", "optim/schedules"):
        for path in (ROOT / "nnlite" / folder).glob("*.py"):
            defined |= set(re.findall(r"^class ([A-Z]\w+)", path.read_text("utf-8"), re.MULTILINE))
    assert defined - set(dir(nn)) == {"Model", "SlidingWindow"}  # of nn.models; of a layer


def test_matplotlib_is_imported_only_to_draw():
    code = "import sys, nnlite; nnlite.plot; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_costs_little_and_so_does_the_help():
    """The least of five runs, as other processes can only add to a time."""

    def seconds(*arguments):
        def run():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            return time.perf_counter() - start

        return min(run() for _ in range(5))

    assert seconds("-c", "import nnlite") <= seconds("-c", "import numpy")
    assert seconds("-m", "nnlite", "train", "--help") < 0.3
