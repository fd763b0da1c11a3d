"""What the command line refuses: exit code 2, one sentence, and nothing written."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import FRUIT

from nnlite.cli.main import main
from nnlite.files.checkpoint import Lock


@pytest.fixture
def fruit(here, capsys):
    """A folder with a table and a run of it."""
    (here / "fruit.csv").write_text(FRUIT)
    train = ["train", "fruit.csv", "--target", "fruit", "--epochs", "2", "--out", "run"]
    assert main([*train, "--checkpoint-steps", "1"]) == 0
    capsys.readouterr()
    return here


def everything_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(capsys, *arguments, code=2):
    """The message with which a command is refused; nothing is written."""
    before = everything_in(Path.cwd())
    try:
        got: str | int | None = main(list(arguments))
    except SystemExit as stop:
        got = stop.code
    output = capsys.readouterr()
    assert got == code
    assert output.out == ""
    assert "Traceback" not in output.err
    assert everything_in(Path.cwd()) == before
    return output.err


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--lr", "0", "'0' is not a finite number above 0"),
        ("--lr", "nan", "finite"),
        ("--lr", "fast", "'fast' is not a finite number above 0"),
        ("--l1", "-1", "at least 0"),
        ("--l2", "-1", "at least 0"),
        ("--momentum", "inf", "finite"),
        ("--momentum", "1.5", "below 1"),
        ("--weight-decay", "-0.1", "at least 0"),
        ("--epochs", "0", "at least 1"),
        ("--epochs", "1.5", "'1.5' is not a whole number of at least 1"),
        ("--batch-size", "0", "at least 1"),
        ("--checkpoint-steps", "0", "at least 1"),
        ("--patience", "0", "at least 1"),
        ("--clip-norm", "0", "above 0"),
        ("--validation", "1", "below 1"),
        ("--validation", "0.0001", "part empty"),
        ("--seed", "-1", "at least 0"),
        ("--dtype", "int8", "'int8' is none of float32, float64"),
        ("--hidden", "0", "at least 1"),
        ("--hidden", "many", "'many' is not a whole number"),
        ("--activation", "exp", "'exp' is none of elu, gelu"),
        ("--activation", "relu", "add --hidden"),
        ("--dropout", "0.5", "add --hidden"),
        ("--dropout", "1", "below 1"),
        ("--loss", "hinge", "'hinge' is none of bce"),
        ("--loss", "huber", "does not fit the task binary, which takes mse or bce"),
        ("--task", "ranking", "'ranking' is none of binary"),
        ("--task", "regression", "expected a finite float64 number but found 'malignant'"),
        ("--optimizer", "lbfgs", "'lbfgs' is none of adagrad"),
        ("--schedule", "sine", "'sine' is none of cosine"),
        ("--schedule", "step:gama=1", "'gama=1' is no argument of step"),
        ("--schedule", "one_cycle:pct_start=2", "'2' is not above 0 and at most 1.0"),
        ("--target", "colour", "needs a FILE"),
        ("--frobnicate", "1", "unrecognized arguments"),
    ],
)
def test_a_bad_option_is_refused_with_its_name_and_what_is_wanted(
    here, capsys, option, value, words
):
    message = refused(capsys, "train", option, value)
    assert option in message or "validation" in option or "regression" in value
    assert words in message
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--optimizer", "adam", "--momentum", "0.5"], "--momentum is of sgd and rmsprop"),
        (["--patience", "3", "--validation", "0"], "--patience watches the held-out samples"),
        (["--hidden", "1000000000000", "3"], "--hidden 1000000000000 3 cannot be made"),
        (["--hidden", "1" + "0" * 30], "cannot be made"),
        (["--schedule", "one_cycle", "--epochs", "1", "--batch-size", "500"], "at least 2"),
    ],
)
def test_options_that_do_not_go_together_are_refused(here, capsys, options, words):
    assert words in refused(capsys, "train", *options)
    assert list(here.iterdir()) == []


BAD_TABLES = [
    ("", "is empty"),
    ("mass,fruit\n", "no samples"),
    ("mass,fruit\n1,apple\n2\n", "line 3"),
    ("mass,fruit\n1,apple\nheavy,banana\n", "'heavy'"),
    ("mass,fruit\n1,apple\nnan,banana\n", "line 3, column 'mass'"),
    ("mass,fruit\n1,apple\ninf,banana\n", "line 3, column 'mass'"),
    ("mass,fruit,mass\n1,apple,2\n", "column 3: the name 'mass' is taken"),
    ("mass,colour\n1,red\n", "has no column 'fruit'"),
    ("mass,fruit\n1,apple\n2,apple\n", "the only class"),
    ("mass,fruit\n1,apple\n2,banana\n", "training or the held-out part empty"),
    (b"mass,fruit\n1,caf\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
    (b"\x00\x01\x02\x03", "binary"),
    (b"\x1f\x8b\x08junk", "damaged gzip"),
    (b"\x93NUMPY\x01\x00junk", "fruit.csv"),
    (b"PK\x03\x04junk", "fruit.csv"),
]


@pytest.mark.parametrize(("content", "words"), BAD_TABLES, ids=[words for _, words in BAD_TABLES])
class TestABadTable:
    def write(self, here, content):
        path = here / "fruit.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def test_is_refused_by_train(self, here, capsys, content, words):
        self.write(here, content)
        message = refused(capsys, "train", "fruit.csv", "--target", "fruit")
        assert "fruit.csv" in message or "part empty" in message
        assert words in message
        assert [path.name for path in here.iterdir()] == ["fruit.csv"]

    @pytest.mark.parametrize("command", ["evaluate", "predict"])
    def test_is_refused_by_evaluate_and_predict(self, fruit, capsys, content, words, command):
        """Some for another reason: there is no column for the feature 'length'."""
        self.write(fruit, content)
        assert "fruit.csv" in refused(capsys, command, "run", "fruit.csv")


def test_a_table_too_small_for_both_parts_is_trained_on_whole_if_asked(here, capsys):
    (here / "fruit.csv").write_text("mass,fruit\n1,apple\n2,banana\n")
    train = ["train", "fruit.csv", "--target", "fruit", "--epochs", "2"]
    assert main([*train, "--validation", "0"]) == 0


def test_a_missing_file_or_target_is_named(here, capsys):
    assert "nowhere.csv" in refused(capsys, "train", "nowhere.csv", "--target", "x")
    assert "nowhere.csv" in refused(capsys, "train", "nowhere.csv")
    assert "--target NAME" in refused(capsys, "train", "nowhere.csv")
    assert "cannot be read" in refused(capsys, "train", ".", "--target", "x")


def test_no_command_and_an_unknown_one_are_refused(here, capsys):
    assert "COMMAND" in refused(capsys)
    assert "invalid choice: 'frain'" in refused(capsys, "frain")


class TestAFolderThatExists:
    def test_is_left_as_it_is(self, fruit, capsys):
        train = ["train", "fruit.csv", "--target", "fruit"]
        assert "exists and is left as it is" in refused(capsys, *train, "--out", "run")
        assert "exists and is left as it is" in refused(capsys, *train, "--out", "fruit.csv")

    def test_is_not_overwritten_unless_it_is_a_run_and_nothing_else(self, fruit, capsys):
        train = ["train", "fruit.csv", "--target", "fruit", "--overwrite", "--out"]
        (fruit / "mine").mkdir()
        (fruit / "mine" / "thesis.txt").write_text("text")
        assert "config.json cannot be read" in refused(capsys, *train, "mine")
        (fruit / "run" / "thesis.txt").write_text("text")
        assert "thesis.txt is no part of a run" in refused(capsys, *train, "run")
        assert "not a folder of a run" in refused(capsys, *train, "fruit.csv")

    def test_is_not_overwritten_if_the_new_run_cannot_begin(self, fruit, capsys):
        again = ["train", "fruit.csv", "--overwrite", "--out", "run", "--target"]
        assert "no column 'colour'" in refused(capsys, *again, "colour")
        assert "add --hidden" in refused(capsys, *again, "fruit", "--dropout", "0.5")

    def test_is_not_overwritten_or_resumed_while_a_process_works_in_it(self, fruit, capsys):
        with Lock("run"):
            again = ["train", "fruit.csv", "--target", "fruit", "--overwrite", "--out", "run"]
            assert "another run is at work in run" in refused(capsys, *again)
            assert "another run is at work" in refused(capsys, "train", "--resume", "run")


@pytest.mark.parametrize("out", ["", ".", "..", "/"])
def test_a_folder_that_is_above_everything_is_refused(fruit, capsys, out):
    train = ["train", "fruit.csv", "--target", "fruit", "--out", out]
    assert "exists and is left as it is" in refused(capsys, *train)
    assert "config.json cannot be read" in refused(capsys, *train, "--overwrite")


class TestResume:
    @pytest.mark.parametrize(
        ("options", "named"),
        [
            (["--lr", "0.5"], "--lr"),
            (["--seed", "0"], "--seed"),
            (["--target", "fruit"], "--target"),
            (["--out", "other"], "--out"),
            (["--overwrite"], "--overwrite"),
            (["--checkpoint-steps", "2", "--hidden", "3"], "--hidden, --checkpoint-steps"),
        ],
    )
    def test_takes_the_options_of_the_run_and_no_others(self, fruit, capsys, options, named):
        message = refused(capsys, "train", "--resume", "run", *options)
        assert f"{named} cannot be given with --resume" in message

    def test_is_refused_with_fewer_epochs(self, fruit, capsys):
        message = refused(capsys, "train", "--resume", "run", "--epochs", "1")
        assert "--epochs 1 is less than the 2 epochs of the run" in message

    def test_is_refused_with_more_epochs_if_the_schedule_counts_them(self, fruit, capsys):
        train = ["train", "fruit.csv", "--target", "fruit", "--epochs", "2"]
        for schedule in ("cosine", "one_cycle"):
            main([*train, "--schedule", schedule, "--out", schedule])
            capsys.readouterr()
            message = refused(capsys, "train", "--resume", schedule, "--epochs", "3")
            assert f"the schedule {schedule} was made for 2 epochs" in message

    def test_is_refused_if_the_data_changed_or_are_gone(self, fruit, capsys):
        (fruit / "fruit.csv").write_text(FRUIT.replace("0.07", "0.08"))
        assert "SHA-256 differs" in refused(capsys, "train", "--resume", "run")
        (fruit / "fruit.csv").unlink()
        assert "cannot be read" in refused(capsys, "train", "--resume", "run")

    def test_is_refused_if_there_is_no_run(self, fruit, capsys):
        assert "config.json cannot be read" in refused(capsys, "train", "--resume", "nowhere")

    def test_is_refused_if_no_checkpoint_is_whole(self, fruit, capsys):
        for path in (fruit / "run" / "checkpoints").glob("*.npz"):
            path.write_bytes(path.read_bytes()[:-100])
        assert "cut off, altered" in refused(capsys, "train", "--resume", "run")

    def test_is_refused_if_the_checkpoints_are_of_another_run(self, fruit, capsys):
        path = fruit / "run" / "config.json"
        config = json.loads(path.read_text()) | {"hidden": [3], "loss": "bce"}
        path.write_text(json.dumps(config))
        assert "does not fit" in refused(capsys, "train", "--resume", "run")


class TestARunThatIsDamaged:
    @pytest.mark.parametrize("command", ["evaluate", "predict", "show"])
    def test_is_refused_by_every_command(self, fruit, capsys, command):
        arguments = [command, "run", *(["fruit.csv"] if command != "show" else [])]
        (fruit / "run" / "weights.npz").write_bytes(b"PK\x03\x04junk")
        assert "weights.npz" in refused(capsys, *arguments)
        (fruit / "run" / "config.json").write_text("{")
        assert "config.json is no JSON" in refused(capsys, *arguments)

    def test_with_a_damaged_history_is_refused_by_show(self, fruit, capsys):
        (fruit / "run" / "history.csv").write_text("epoch\nfirst\n")
        assert "history.csv is damaged" in refused(capsys, "show", "run")


def test_a_class_that_training_did_not_see_is_refused_with_its_line(fruit, capsys):
    (fruit / "new.csv").write_text("mass,length,fruit\n0.2,0.07,apple\n0.5,0.5,cherry\n")
    message = refused(capsys, "evaluate", "run", "new.csv")
    assert "new.csv, line 3, column 'fruit'" in message
    assert "'cherry'" in message


def test_a_missing_feature_is_named(fruit, capsys):
    (fruit / "new.csv").write_text("mass,fruit\n0.2,apple\n")
    assert "no column 'length'" in refused(capsys, "predict", "run", "new.csv")


def test_a_folder_that_cannot_be_made_is_refused(here, capsys):
    (here / "file").write_text("")
    assert main(["train", "--epochs", "1", "--out", "file/run"]) == 2
    assert "file" in capsys.readouterr().err


class TestDivergence:
    def test_ends_with_exit_code_1_and_says_where(self, here, capsys):
        assert main(["train", "--lr", "1e300", "--l2", "1", "--out", "run"]) == 1
        message = capsys.readouterr().err
        assert "in step" in message
        assert "smaller learning rate" in message
        assert not (here / "run" / "weights.npz").exists()

    def test_leaves_the_last_good_checkpoint(self, here, capsys):
        X = np.random.default_rng(0).standard_normal((200, 3))
        np.savez(here / "data.npz", X=X, t=X.sum(axis=1))
        train = ["train", "data.npz", "--target", "t", "--lr", "5", "--epochs", "300"]
        assert main([*train, "--out", "run"]) == 1
        assert "in step" in capsys.readouterr().err
        assert list((here / "run" / "checkpoints").glob("*.npz"))


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("nowhere/x.csv", "nowhere is not a folder"),
        ("run", "run is a folder"),
        ("fruit.csv", "holds the samples themselves"),
    ],
)
def test_predictions_go_to_a_new_file_only(here, capsys, out, words):
    table = "mass,length,fruit\n" + "0.2,0.07,apple\n0.3,0.2,banana\n" * 10
    (here / "fruit.csv").write_text(table)
    main(["train", "fruit.csv", "--target", "fruit", "--epochs", "1", "--out", "run"])
    capsys.readouterr()
    assert words in refused(capsys, "predict", "run", "fruit.csv", "--out", out, "--overwrite")
    assert (here / "fruit.csv").read_text() == table


def test_after_a_divergence_it_is_not_said_to_resume(here, capsys):
    assert main(["train", "--lr", "1e300", "--hidden", "4", "--epochs", "3", "--out", "run"]) == 1
    message = capsys.readouterr().err
    assert "begin again with a smaller --lr" in message
    assert "--resume" not in message
