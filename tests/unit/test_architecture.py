"""The rules of shape that a reader relies on, checked on the source itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from helpers.folders import ROOT, TESTS

from sqlml.errors import CONDITIONS
from sqlml.parser.functions import FUNCTIONS
from sqlml.statements import STATEMENTS

_SOURCES = sorted((ROOT / "sqlml").rglob("*.py"))
_TESTS = sorted(TESTS.rglob("*.py"))
_JAVA = ROOT / "sqlml" / "spark" / "java"

# Who may import a heavy library, by folder or file.
_ONLY_IN = {
    "pyspark": ("spark/", "estimators/mllib/", "__init__.py"),
    "mlflow": ("registry/",),
    "onnxruntime": ("scoring/onnx_session.py",),
    "nicegui": ("studio/", "cli/studio.py"),
}
# The layers, the lowest first: each imports only from itself and from those before it. A module belongs to the longest
# name that it begins with, and the `__init__` of a package to the package.
_LAYERS = (
    "dialect",
    "errors",
    "settings",
    "signature",
    "policy",
    "system",
    "binding",
    "parser",
    "scoring",
    "lineage",
    "session",
    "jobs",
    "export",
    "estimators",
    "enrichment",
    "registry",
    "training",
    "compiler",
    "formats",
    "importing",
    "conversion",
    "tables",
    "statements",
    "spark",
    # What the package offers to Python: `sqlml.register_model` and its like stand above all that they use.
    "serving",
    "importing.register",
    "__init__",
    "cli",
    "doctor",
    "studio",
    # The commands, which start all of it.
    "cli.doctor",
    "cli.studio",
    "cli.__init__",
    "__main__",
)


def _module(path: Path) -> str:
    """The module of a file without `sqlml.`; of a package `package.__init__`, of the whole one `__init__`."""
    return ".".join(path.relative_to(ROOT / "sqlml").with_suffix("").parts)


_MODULES = {_module(path): path for path in _SOURCES}


def _layer(module: str) -> int:
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(_LAYERS.index(name) for name in names if name in _LAYERS)


@dataclass(frozen=True)
class _Import:
    """`target` is a module of ours, as `_module` writes it, or the whole name of another library's."""

    target: str
    ours: bool
    checking: bool
    lazy: bool


def _imports(path: Path) -> list[_Import]:
    """Every import in a file, wherever it stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    lazy = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: imports name the whole module"
            # What is imported may be a module itself.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            ours = name.split(".")[0] == "sqlml"
            found.append(_Import(_known(name) if ours else name, ours, id(node) in checking, id(node) in lazy))
    return found


def _known(name: str) -> str:
    """`sqlml.cli.home.Home` → `cli.home`, `sqlml.cli` → `cli.__init__`."""
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        for candidate in (module, f"{module}.__init__"):
            if candidate in _MODULES:
                return candidate
    return "__init__"


@pytest.mark.parametrize("module", _MODULES)
def test_imports_point_one_way(module: str) -> None:
    path = _MODULES[module]
    place = path.relative_to(ROOT / "sqlml").as_posix()
    for one in _imports(path):
        library = one.target.split(".")[0]
        if not one.ours and library in _ONLY_IN and not one.checking:
            assert place.startswith(_ONLY_IN[library]), f"{place} imports {one.target}"
        # `import sqlml` reads its version, which everybody may.
        if one.ours and not one.checking and one.target != "__init__":
            assert _layer(one.target) <= _layer(module), f"{module} imports {one.target}, which stands above it"


def test_modules_import_each_other_in_no_circle() -> None:
    """At their top: what a function imports, it imports when it is called."""
    needed = {
        module: {one.target for one in _imports(path) if one.ours and not one.checking and not one.lazy}
        for module, path in _MODULES.items()
    }
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' → '.join(error.args[1])}")


@pytest.mark.parametrize("path", [*_SOURCES, *_TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_read_top_to_bottom(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""'), "a file begins with what it is for"
    assert len(text.splitlines()) <= 400


# Behind these doors of tests/helpers/doors is a JVM.
_DOORS = ("beeline", "connect", "opening", "shell", "thrift")


def test_no_test_is_imported() -> None:
    """What two tests need is in tests/helpers."""
    for path in _TESTS:
        for one in _imports(path):
            assert not re.search(r"(^|\.)(test_|conftest\b)", one.target), f"{path} imports {one.target}"


def test_tests_have_names_of_their_own() -> None:
    """So a name says which file is meant, whatever its folder."""
    names = [path.name for path in _TESTS if path.name.startswith("test_")]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("path", sorted((TESTS / "unit").rglob("*.py")), ids=lambda path: path.stem)
def test_unit_tests_start_no_jvm(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert not {"spark", "doors"} & {argument.arg for argument in node.args.args}, node.name
        # `getfixturevalue("spark")`, `usefixtures("doors")`
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "fixture" in node.func.attr:
            assert not {"spark", "doors"} & {one.value for one in node.args if isinstance(one, ast.Constant)}
    for one in _imports(path):
        assert one.checking or one.target.split(".")[0] not in ("pyspark", "py4j"), one.target
        assert not one.target.startswith(tuple(f"helpers.doors.{door}" for door in _DOORS)), one.target


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.__name__)
def test_one_name_all_the_way_down(statement: type) -> None:
    module = statement.__module__.rsplit(".", 1)[1]
    assert "".join(word.capitalize() for word in module.split("_")) == statement.__name__
    assert (ROOT / "sql" / "reference" / f"{module}.sql").exists()
    assert (ROOT / "tests" / "golden" / f"{module}.sql").exists()
    assert statement.__doc__


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS.values())))
def test_functions_have_a_manual_page(function: str) -> None:
    assert (ROOT / "sql" / "reference" / f"{function}.sql").exists()
    assert (ROOT / "tests" / "golden" / f"{function}.sql").exists()


def test_tables_are_sorted() -> None:
    assert list(FUNCTIONS) == sorted(FUNCTIONS)
    assert list(CONDITIONS) == sorted(CONDITIONS)
    assert [statement.__name__ for statement in STATEMENTS] == sorted(statement.__name__ for statement in STATEMENTS)


def test_every_condition_is_raised_somewhere() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in _SOURCES if path.name != "errors.py")
    sources += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sqlml").rglob("*.java"))
    unused = [name for name in CONDITIONS if f'"{name}"' not in sources and name != "SQLML_SYNTAX_ERROR"]
    assert not unused


def test_java_packages_stand_in_their_folders() -> None:
    for path in _JAVA.rglob("*.java"):
        package = ".".join(path.relative_to(_JAVA).parts[:-1])
        assert path.read_text(encoding="utf-8").startswith(f"package {package};\n"), path


def test_java_packages_have_no_cycle() -> None:
    """By their imports and by the full names in their code and texts, which generated code refers to."""
    packages: dict[str, set[str]] = {}
    for path in _JAVA.rglob("*.java"):
        own = ".".join(path.relative_to(_JAVA).parts[:-1])
        named = re.findall(r"\b(org\.sqlml(?:\.[a-z]\w*)*)\.(?:[A-Z]\w*|\*)", path.read_text(encoding="utf-8"))
        packages.setdefault(own, set()).update(set(named) - {own})
    order = list(TopologicalSorter(packages).static_order())  # raises a CycleError that names the packages
    assert (order[0], order[-1]) == ("org.sqlml.common", "org.sqlml")


def test_the_language_loads_nothing_heavy() -> None:
    """Starting a shell must not pay for Spark, MLflow, ONNX or scikit-learn."""
    program = (
        "import sqlml, sqlml.statements, sqlml.parser.functions, sqlml.binding.arguments, sys; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pyspark", "mlflow", "onnx", "onnxruntime", "sklearn", "pandas", "numpy", "pyarrow"} & set(loaded)


def test_an_executor_needs_nothing_of_the_driver() -> None:
    """What a worker imports to score, without the packages that only the extra `driver` brings."""
    absent = ("alembic", "mlflow", "onnx", "packaging", "rich", "sklearn", "sqlalchemy", "sqlglot", "typer")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent!r}));"
        " import sqlml.spark.udf, sqlml.scoring.scorer; print('scored')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "scored\n"
    refused = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['typer'] = None; {_MAIN}"], capture_output=True, text=True
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "needs typer: install sqlml with its extra `driver`" in refused.stderr


_MAIN = "from sqlml.__main__ import main; main()"
