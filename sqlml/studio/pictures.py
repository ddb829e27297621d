"""The plots of a version's MLflow run: PNG files, and one HTML page of charts; serves them to the browser."""

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
# Anyone with access to MLflow could have written the page. In a CSP sandbox it can read no cookie and reach no server.
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    " img-src data: blob:"
)


class Pictures:
    """The plots of registered models.

    Args:
        registry: the registry with the plots; None for a Connect server, whose registry is remote.
        may_read: whether the studio's user may read a model.
    """

    def __init__(self, registry: Registry | None, may_read: Callable[[str], bool]) -> None:
        self._registry = registry
        self._may_read = may_read

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking URI; "" where it is not known here."""
        return "" if self._registry is None else self._registry.uri

    def names(self, model: str, version: int) -> list[str]:
        """The sorted file names; empty for a version without plots.

        Raises:
            SqlmlError: SQLML_REGISTRY_UNAVAILABLE.
        """
        if self._registry is None or not self._may_read(model):
            return []
        return self._registry.pictures(ModelReference(model_name(model), version))

    def content(self, model: str, version: int, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            SqlmlError: SQLML_PATH_NOT_FOUND for a file that is not in `names`; the registry's errors.
        """
        if self._registry is None or name not in self.names(model, version):
            raise SqlmlError("SQLML_PATH_NOT_FOUND", f"Version {version} of model {model} has no picture {name}.")
        return self._registry.picture(ModelReference(model_name(model), version), name)

    def serve(self, app: FastAPI) -> None:
        """Adds the route `/pictures/model/version/name`."""

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
