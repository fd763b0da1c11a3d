"""The house: rooms, and imports that run one way down, read from the source."""

import ast
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from inspect import ismodule

import pytest
from places import ROOT

LIBRARY = ROOT / "nnlite"

FLOORS = (
    {"cli"},
    {"sklearn", "onnx"},
    {"training"},
    {"checking"},
    {"layers"},
    {"graph"},
    {"datasets", "optim", "plot"},
    {"autodiff"},
    {"compiler"},
    {"files"},
    {"core"},
)
"""From the top to the ground; a room imports from floors below its own, and from nowhere else."""

MOST_LINES = 350
MOST_ENTRIES = 15
"""At the top of the library, besides the page that describes it."""


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(path): path for path in sorted(LIBRARY.rglob("*.py"))}


def imported_by(name):
    """The files of the library that a file imports: in functions and for types, too."""
    path = FILES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            found = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in found:
            while target and target not in FILES:
                target = target.rpartition(".")[0]
            if target and target != name:
                yield target


ARROWS = {name: sorted(set(imported_by(name))) for name in FILES}


def room_of(name):
    return name.partition(".")[2].partition(".")[0]


def test_every_room_has_a_floor_and_every_floor_but_the_doors_a_room():
    rooms = {room_of(name) for name in FILES} - {"", "__main__"}
    known = set().union(*FLOORS)
    assert rooms <= known
    assert known - rooms <= {"sklearn", "onnx"}


def test_no_import_runs_up_or_across():
    floor = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
    wrong = [
        f"{name} -> {target}"
        for name, targets in ARROWS.items()
        for target in targets
        if name not in ("nnlite", "nnlite.__main__") and room_of(name) != room_of(target)
        if target == "nnlite" or floor[room_of(target)] <= floor[room_of(name)]
    ]
    assert wrong == []


def test_no_import_runs_in_a_circle():
    try:
        TopologicalSorter(ARROWS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_computed_import_names_no_room_above():
    """The only names that are put together at run time: those of the two lazy faces' tables."""
    users = [name for name, path in FILES.items() if "import_module" in path.read_text("utf-8")]
    assert users == ["nnlite", "nnlite.layers", "nnlite.layers.registry"]


def test_few_entries_stand_at_the_top():
    entries = {path.name for path in LIBRARY.iterdir()} - {"__pycache__", "README.md"}
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_no_file_is_long():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("nnlite", "tests", "notebooks")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MOST_LINES
    }
    assert long == {}


def test_no_file_or_folder_bears_the_name_of_a_public_function_beside_it():
    """Imported, it would take the function's place."""
    for name, path in FILES.items():
        if path.name == "__init__.py":
            module = import_module(name)
            public = getattr(module, "__all__", ())
            functions = {n for n in public if not ismodule(getattr(module, n))}
            assert not functions & {
                other.rpartition(".")[2] for other in FILES if other.rpartition(".")[0] == name
            }
