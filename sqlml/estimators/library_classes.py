"""The classes that the rows of ESTIMATORS name, imported when a job needs them."""

from __future__ import annotations

import importlib
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.estimators.estimator import LIBRARIES, Estimator


def library_class(estimator: Estimator, task: str) -> Any:
    """Returns the class that the row names for a task.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE if the library, or a package that it needs, is not installed, and if the
            installed release has no such class.
    """
    module, _, name = estimator.classes[task].rpartition(".")
    # The whole library first, so that what is missing is the library and not a module of it.
    version = library_version(estimator)
    try:
        return getattr(importlib.import_module(module), name)
    except (AttributeError, ModuleNotFoundError) as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"{estimator.name} needs {name} of {module}, and {estimator.library} {version} has none.",
            hint=f"Install another release {_where(estimator)}: pip install --upgrade"
            f" 'sqlml[{LIBRARIES[estimator.engine].extra}]'.",
        ) from error


def library_version(estimator: Estimator) -> str:
    """Returns the version of the library that fits the estimator.

    Raises:
        SqlmlError: SQLML_MISSING_PACKAGE.
    """
    library = LIBRARIES[estimator.engine]
    try:
        return str(importlib.import_module(library.package).__version__)
    except ModuleNotFoundError as error:
        raise SqlmlError(
            "SQLML_MISSING_PACKAGE",
            f"{estimator.name} needs {library.name}, but the Python package {error.name} is missing.",
            hint=f"Install it {_where(estimator)}: pip install 'sqlml[{library.extra}]'.",
        ) from error


def _where(estimator: Estimator) -> str:
    # Spark has MLlib everywhere; of other libraries that fit on the cluster, executors need the package too.
    both = estimator.distributed and estimator.engine != "mllib"
    return "on the driver and on the executors" if both else "where the driver runs"
