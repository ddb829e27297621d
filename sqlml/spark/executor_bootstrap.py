"""Runs on an executor before sqlml can be imported: puts the broadcast zip file on `sys.path`, calls a class in it.

cloudpickle pickles this module by value (`sqlml.spark.executor_package`), so executors need only Spark's Python,
pyarrow and what the class imports. Therefore nothing here may refer to another module of sqlml.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import tempfile
from typing import Any


class Bootstrap:
    """A UDF's body that is made on the executor.

    Args:
        package: the broadcast zip file of sqlml.
        digest: of the zip file; an executor writes it to disk only once.
        module, name: the class.
        parts: arguments of the class that need no sqlml to unpickle, such as broadcasts.
        pickled: the other arguments, pickled, which need sqlml.
    """

    def __init__(
        self, package: Any, digest: str, module: str, name: str, parts: dict[str, Any], pickled: bytes
    ) -> None:
        self._package, self._digest = package, digest
        self._module, self._name = module, name
        self._parts, self._pickled = parts, pickled
        self._body: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self._body is None:
            self._import()
            made = getattr(importlib.import_module(self._module), self._name)
            self._body = made(**self._parts, **pickle.loads(self._pickled))
        return self._body(*arguments)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_body": None}

    def _import(self) -> None:
        """Puts the zip file first on `sys.path`, and unloads any sqlml that the worker has already imported."""
        name = f"sqlml-{self._digest}.zip"
        if os.path.basename(sys.path[0]) == name:
            return
        path = os.path.join(_folder(), name)
        if not os.path.exists(path):
            # Another worker of this executor may do the same now.
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
            with os.fdopen(handle, "wb") as file:
                file.write(self._package.value)
            os.replace(temporary, path)
        sys.path.insert(0, path)
        for loaded in [one for one in sys.modules if one == "sqlml" or one.startswith("sqlml.")]:
            if loaded != __name__:
                del sys.modules[loaded]
        importlib.invalidate_caches()


def _folder() -> str:
    """The executor's own scratch folder, which Spark removes; else one of this process alone.

    In a folder that others may write to, somebody could have put a file of that name.
    """
    scratch = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0]
    if scratch and os.path.isdir(scratch) and not os.stat(scratch).st_mode & 0o022:
        return scratch
    return tempfile.mkdtemp(prefix="sqlml-package-")
