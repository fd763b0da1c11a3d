"""``nnlite --version``."""

import subprocess
import sys

import pytest

import nnlite as nn
from nnlite.cli.main import main


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "train"]])
def test_it_says_the_version(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nnlite {nn.__version__}\n"


def test_it_says_so_as_a_module_too():
    command = [sys.executable, "-m", "nnlite", "--version"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown == f"nnlite {nn.__version__}\n"
