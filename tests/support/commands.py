"""Runs of the command line, and the files that they leave."""

from nnlite.cli.main import main

FRUIT = "mass,length,fruit\n" + "0.2,0.07,apple\n0.3,0.2,banana\n" * 10


def output_of(capsys, *arguments):
    """What a command that succeeds writes."""
    assert main(list(arguments)) == 0
    return capsys.readouterr().out
