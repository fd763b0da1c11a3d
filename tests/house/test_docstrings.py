"""The examples in docstrings give what they show.

A public class or function says ``nnlite`` as its module, so the standard finder, which looks for
what belongs to a file, would pass it over in its own file.
"""

import ast
import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest
from places import ROOT

FLAGS = doctest.NORMALIZE_WHITESPACE


class Finder(doctest.DocTestFinder):
    def _from_module(self, module, item):
        if isinstance(item, type):
            return item.__name__ in classes_of(module)
        if inspect.isfunction(item):
            return inspect.unwrap(item).__globals__ is vars(module)
        return super()._from_module(module, item)  # type: ignore[misc]


def classes_of(module):
    return {node.name for node in tree_of(module).body if isinstance(node, ast.ClassDef)}


def tree_of(module):
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def modules():
    for path in sorted((ROOT / "nnlite").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__main__":
            yield import_module(".".join(parts).removesuffix(".__init__"))


def examples_of(module):
    return [test for test in Finder().find(module, module.__name__) if test.examples]


MODULES = list(modules())


@pytest.mark.parametrize(
    "example", [test for module in MODULES for test in examples_of(module)], ids=lambda e: e.name
)
def test_an_example_gives_what_it_shows(example):
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(example, out=failures.append, clear_globs=False)
    assert not failures, "".join(failures)


def test_no_docstring_with_an_example_is_passed_over():
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for module in MODULES:
        documented = [node for node in ast.walk(tree_of(module)) if isinstance(node, kinds)]
        written = [text for node in documented if ">>>" in (text := ast.get_docstring(node) or "")]
        assert len(examples_of(module)) == len(written), module.__name__
