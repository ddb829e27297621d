"""What an executor runs before it has sqlml: unpacks the package that came with the query and calls a class in it.

cloudpickle takes this module by value (`sqlml.spark.executor_package`), so executors need only Spark's Python, pyarrow
and what the class imports. Therefore nothing here may refer to another module of sqlml.
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
        digest: of the zip; a worker process unpacks it once.
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
        """Puts the zip in front of the path, and forgets a sqlml of another version that a worker has imported."""
        name = f"sqlml-{self._digest}.zip"
        if any(os.path.basename(entry) == name for entry in sys.path):
            return
        # A folder of its own: nobody else can have put a file of that name there.
        path = os.path.join(tempfile.mkdtemp(prefix="sqlml-package-"), name)
        with open(path, "wb") as file:
            file.write(self._package.value)
        sys.path.insert(0, path)
        for loaded in [one for one in sys.modules if one == "sqlml" or one.startswith("sqlml.")]:
            if loaded != __name__:
                del sys.modules[loaded]
        importlib.invalidate_caches()
