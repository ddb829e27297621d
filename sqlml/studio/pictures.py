"""The pictures of a version's MLflow run: PNG files, and one page of charts that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

from sqlml.errors import SqlmlError
from sqlml.parser.references import ModelReference, model_name

if TYPE_CHECKING:
    from sqlml.registry import Registry

PAGE = "plots.html"
# Whoever may write to MLflow could have written the file. In a sandbox it reads no cookie and reaches no server.
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    " img-src data: blob:"
)


class Pictures:
    """What there is to see of models.

    Args:
        registry: where they are; None over a server, whose registry is its own.
        may_read: whether the page's user may read of a model.
    """

    def __init__(self, registry: Registry | None, may_read: Callable[[str], bool]) -> None:
        self._registry = registry
        self._may_read = may_read

    @property
    def tracking_uri(self) -> str:
        """Where MLflow's runs are; "" where that is not known here."""
        return "" if self._registry is None else self._registry.uri

    def names(self, model: str, version: int) -> list[str]:
        """The files' names, sorted; none for a version without pictures.

        Raises:
            SqlmlError: SQLML_REGISTRY_UNAVAILABLE.
        """
        if self._registry is None or not self._may_read(model):
            return []
        return self._registry.pictures(ModelReference(model_name(model), version))

    def content(self, model: str, version: int, name: str) -> bytes:
        """A file's bytes.

        Raises:
            SqlmlError: SQLML_PATH_NOT_FOUND for a file that is none of `names`, and what the registry raises.
        """
        if self._registry is None or name not in self.names(model, version):
            raise SqlmlError("SQLML_PATH_NOT_FOUND", f"Version {version} of model {model} has no picture {name}.")
        return self._registry.picture(ModelReference(model_name(model), version), name)

    def serve(self, app: FastAPI) -> None:
        """Answers `/pictures/model/version/name`."""

        @app.get("/pictures/{model}/{version}/{name}")
        def picture(model: str, version: int, name: str) -> Response:
            try:
                content = self.content(model, version, name)
            except SqlmlError as error:
                raise HTTPException(status_code=404, detail=str(error)) from None
            if name == PAGE:
                return Response(content, media_type="text/html", headers={"content-security-policy": _SANDBOX})
            return Response(content, media_type="image/png")


def address(model: str, version: int, name: str) -> str:
    return f"/pictures/{model}/{version}/{name}"
