import doctest
import re

from places import BENCHMARKS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_python_example_of_the_readme_gives_what_it_shows():
    examples = doctest.DocTestParser().get_doctest(
        "\n".join(blocks("python")), {}, "README.md", "README.md", 0
    )
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(
        examples, out=failures.append
    )
    assert len(examples.examples) > 20
    assert not failures, "".join(failures)


def test_ci_runs_the_very_test_command_of_the_readme():
    (command,) = [block for block in blocks("bash") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_picture_and_file_the_readme_names_is_there():
    names = re.findall(r"\]\(([^):#]+)\)", README)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_table_is_what_the_benchmark_makes_of_its_records(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS / "speed")
    import record

    assert record.section(record.recorded()) in README
