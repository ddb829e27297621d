"""The rules of shape that a reader relies on, checked on the source itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from sqlml.errors import CONDITIONS
from sqlml.functions import FUNCTIONS
from sqlml.statements import STATEMENTS

_ROOT = Path(__file__).parent.parent
_SOURCES = sorted((_ROOT / "sqlml").rglob("*.py"))
_JAVA = _ROOT / "sqlml" / "spark" / "java"

# Who may import a heavy library, by folder or file.
_ONLY_IN = {
    "pyspark": ("spark/", "estimators/mllib", "__init__.py"),
    "mlflow": ("registry/",),
    "onnxruntime": ("scoring.py",),
    "nicegui": ("studio/", "cli/studio.py"),
}
# What each part of the package may import from the package. Everything not named here may import everything but spark.
_MAY_IMPORT = {
    "errors": set(),
    "settings": {"errors"},
    "signature": set(),
    "names": {"errors"},
    "grammar": {"errors", "literals", "names", "tokens"},
    "literals": {"errors", "tokens"},
    "tokens": {"errors"},
    "gates": {"errors"},
    "policy": {"errors", "policy"},
    "owner": set(),
    "temporary": {"owner"},
    "lineage": set(),
    "printing": {"grammar", "literals", "tokens"},
    "words": set(),
    "parameters": {"calls", "errors", "tokens"},
    "scripts": {"calls", "errors", "statements", "tokens", "words"},
    "enrichment": {
        "binding",
        "enrichment",
        "errors",
        "grammar",
        "tokens",
        "outputs",
        "printing",
        "settings",
        "signature",
    },
    "calls": {"errors", "grammar", "names", "printing", "tokens"},
    "query_parts": {"calls"},
    "functions": {
        "calls",
        "errors",
        "grammar",
        "names",
        "printing",
        "query_parts",
        "table_functions",
        "tsql_predict",
        "tokens",
    },
    "table_functions": {
        "calls",
        "errors",
        "grammar",
        "names",
        "printing",
        "query_parts",
        "tsql",
        "tsql_predict",
        "tokens",
    },
    "tsql_predict": {"calls", "errors", "outputs", "printing", "signature", "tsql", "tsql_names", "tokens"},
    "tsql_names": {"calls", "grammar", "printing", "tokens"},
    "tsql": {"calls", "errors", "grammar", "literals", "names", "printing", "tsql_names", "tokens"},
    "outputs": {"errors", "signature"},
    "output_columns": {"arrays", "outputs", "scoring", "signature"},
    "binding": {"errors", "signature"},
    "dialect": set(),
    "statements": {
        "errors",
        "gates",
        "grammar",
        "lineage",
        "names",
        "policy",
        "printing",
        "session",
        "calls",
        "tsql",
        "tsql_names",
        "signature",
        "statements",
        "training",
        "registry",
        "importing",
        "formats",
        "file_export",
        "enrichment",
        "tokens",
        "words",
    },
    "feature_values": {"arrays", "signature"},
    "scoring": {"feature_values", "arrays", "errors", "signature"},
    "arrays": set(),
    "memory": set(),
    "scoring_memory": {"errors", "loaded_models", "memory", "settings"},
    "loaded_models": {"scoring", "settings", "signature"},
    "export": {"errors", "signature", "export", "estimators", "feature_values", "scoring"},
    "estimators": {"errors", "memory", "settings", "signature", "export", "estimators", "feature_values", "scoring"},
    "importing": {
        "errors",
        "memory",
        "signature",
        "export",
        "estimators",
        "feature_values",
        "scoring",
        "importing",
        "grammar",
        "literals",
        "printing",
        "session",
        "settings",
        "paths",
        "policy",
        "formats",
    },
    "paths": {"errors", "settings"},
    "file_export": {"errors", "paths", "temporary"},
    "formats": {"compiler", "errors", "export", "file_export", "formats", "importing", "registry", "signature"},
    "tables": {"registry", "tables"},
    # A page has nothing of its own: the command line's way to run and show a statement, and how its text is quoted.
    "studio": {"cli", "errors", "grammar", "names", "printing", "registry", "studio", "words"},
    "compiler": {"errors", "signature", "transform", "feature_values", "scoring", "compiler"},
}
_MAY_IMPORT_SPARK = {"cli", "demo", "doctor", "__init__", "register", "spark"}


def _part(path: Path) -> str:
    return path.relative_to(_ROOT / "sqlml").parts[0].removesuffix(".py")


def _imports(path: Path) -> list[tuple[str, bool]]:
    """(module, only for type checking) of every import in a file, wherever it stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in checking) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, id(node) in checking))
    return found


@pytest.mark.parametrize("path", _SOURCES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    place = str(path.relative_to(_ROOT / "sqlml"))
    part = _part(path)
    for module, only_checking in _imports(path):
        library = module.split(".")[0]
        if library in _ONLY_IN and not only_checking:
            assert place.startswith(_ONLY_IN[library]), f"{place} imports {module}"
        if library == "sqlml" and not only_checking and module != "sqlml":
            target = module.split(".")[1]
            if target == "spark":
                assert part in _MAY_IMPORT_SPARK, f"{place} imports {module}"
            if part in _MAY_IMPORT:
                assert target in _MAY_IMPORT[part], f"{place} imports {module}"


@pytest.mark.parametrize("path", _SOURCES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_files_read_top_to_bottom(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""'), "a file begins with what it is for"
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.__name__)
def test_one_name_all_the_way_down(statement: type) -> None:
    module = statement.__module__.rsplit(".", 1)[1]
    assert "".join(word.capitalize() for word in module.split("_")) == statement.__name__
    assert (_ROOT / "sql" / "reference" / f"{module}.sql").exists()
    assert (_ROOT / "tests" / "golden" / f"{module}.sql").exists()
    assert statement.__doc__


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS.values())))
def test_functions_have_a_manual_page(function: str) -> None:
    assert (_ROOT / "sql" / "reference" / f"{function}.sql").exists()
    assert (_ROOT / "tests" / "golden" / f"{function}.sql").exists()


def test_tables_are_sorted() -> None:
    assert list(FUNCTIONS) == sorted(FUNCTIONS)
    assert list(CONDITIONS) == sorted(CONDITIONS)
    assert [statement.__name__ for statement in STATEMENTS] == sorted(statement.__name__ for statement in STATEMENTS)


def test_every_condition_is_raised_somewhere() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in _SOURCES if path.name != "errors.py")
    sources += "".join(path.read_text(encoding="utf-8") for path in (_ROOT / "sqlml").rglob("*.java"))
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
    program = "import sqlml, sqlml.statements, sqlml.functions, sqlml.binding, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pyspark", "mlflow", "onnx", "onnxruntime", "sklearn", "pandas", "numpy", "pyarrow"} & set(loaded)


def test_an_executor_needs_nothing_of_the_driver() -> None:
    """What a worker imports to score, without the packages that only the extra `driver` brings."""
    absent = ("alembic", "mlflow", "onnx", "packaging", "rich", "sklearn", "sqlalchemy", "sqlglot", "typer")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent!r}));"
        " import sqlml.spark.udf, sqlml.scoring; print('scored')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "scored\n"
    refused = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['typer'] = None; {_MAIN}"], capture_output=True, text=True
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "needs typer: install sqlml with its extra `driver`" in refused.stderr


_MAIN = "from sqlml.__main__ import main; main()"
