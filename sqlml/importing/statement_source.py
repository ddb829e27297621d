"""Reads the model that IMPORT MODEL … FROM names: a query's value, hexadecimal text, a file, or an MLflow URI."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sqlml.errors import SqlmlError
from sqlml.importing import mlmodel
from sqlml.importing.mlmodel import Source
from sqlml.parser.cursor import Piece
from sqlml.policy import ASK, EXPORT, PREDICT
from sqlml.system import allowed_paths

if TYPE_CHECKING:
    from sqlml.importing.request import Imported
    from sqlml.registry import Registry
    from sqlml.session import Caller, Session
    from sqlml.system.allowed_paths import AllowedPaths

# Matches a stripped text. Written so that the regex cannot backtrack quadratically: blanks match in one part only.
_HEX = re.compile(r"(?:0[xX])?(?P<digits>[0-9A-Fa-f\s]*)\Z")
_HEX_START = ("0x", "0X")
# The longest name of a file: a longer text of hexadecimal digits is a model and not a path.
_LONGEST_NAME = 255
_MLFLOW = ("models:/", "runs:/")


def read_source(session: Session, source: str | Piece, most_bytes: int, name: str) -> Source:
    """Reads the model's bytes, and its features where MLflow knows them.

    Args:
        source: the operand of FROM: a text, or a query.
        name: the name under which the model is imported, for messages.

    Raises:
        SqlmlError: SQLML_PATH_NOT_ALLOWED, SQLML_PATH_NOT_FOUND, SQLML_MODEL_REFUSED, SQLML_MODEL_NOT_FOUND,
            SQLML_OPTION_INVALID for a query that returns more or less than one value.
    """
    if isinstance(source, Piece):
        value = session.queries.value(source.text, source.offset, most_bytes)
        return Source(value if isinstance(value, bytes) else from_hex(value, "The string that the query returns"))
    if source.startswith(_HEX_START) or (len(source) > _LONGEST_NAME and _HEX.match(source.strip())):
        return Source(from_hex(source, "The string"))
    allowed = session.files.allowed
    if source.startswith(_MLFLOW):
        return _of_mlflow(session.registry, session.caller, allowed, source, most_bytes, name)
    allowed.check(source)
    if allowed_paths.is_elsewhere(source):
        return Source(session.files.read_elsewhere(source, most_bytes))
    folder = allowed_paths.plain(source)
    if os.path.isfile(os.path.join(folder, mlmodel.FILE)):
        return mlmodel.read(
            lambda file, most: allowed_paths.read(os.path.join(folder, file), most, allowed), most_bytes, source, name
        )
    return Source(allowed_paths.read(source, most_bytes, allowed))


def _of_mlflow(
    registry: Registry, caller: Caller, allowed: AllowedPaths, uri: str, most_bytes: int, name: str
) -> Source:
    """Reads a model from the registry's MLflow, which needs the right to export it.

    The right is checked before the registry is asked: a user without it must not learn whether the model, a version or
    an alias exists.
    """
    from sqlml.formats.onnx_file import content

    user = caller.user or "(unknown)"
    named = registry.named(uri)
    if named is not None and not caller.may(EXPORT, named):
        raise SqlmlError("SQLML_PERMISSION_DENIED", f"User {user} may not export model {named}.", hint=ASK)
    # Before an id is resolved, its model is unknown: the error must be the same for a missing and a forbidden one.
    unknown = SqlmlError(
        "SQLML_MODEL_NOT_FOUND",
        f"The registry does not have {uri}, or this user may not export its model.",
        hint=registry.URI_FORMS,
    )
    try:
        found = registry.resolve(uri, allowed)
    except SqlmlError as error:
        raise error if named is not None or error.condition != unknown.condition else unknown from None
    if not all(caller.may(EXPORT, model) for model in found.models):
        if named is None:
            raise unknown
        raise SqlmlError(
            "SQLML_PERMISSION_DENIED", f"User {user} may not export the model that {uri} points to.", hint=ASK
        )
    if found.version is not None:
        return Source(content(found.version))
    return mlmodel.read(found.read, most_bytes, uri, name)


def check_copies(registry: Registry, caller: Caller, found: Imported) -> None:
    """Raises SqlmlError SQLML_PERMISSION_DENIED for a copy of a registered model that the user may not predict with.

    Otherwise an import under the user's own name would circumvent the missing right.
    """
    for digest in {found.digest, *found.sources}:
        registered = registry.names_of(digest)
        if registered and not any(caller.may(PREDICT, model) for model in registered):
            raise SqlmlError(
                "SQLML_PERMISSION_DENIED",
                f"User {caller.user or '(unknown)'} may not import this model, because it is a copy of a registered"
                " model that they may not predict with.",
                hint=ASK,
            )


def from_hex(text: str, what: str) -> bytes:
    """Decodes a model in hexadecimal.

    Raises:
        SqlmlError: SQLML_MODEL_REFUSED for a text that is not hexadecimal.
    """
    found = _HEX.match(text.strip())
    digits = "" if found is None else re.sub(r"\s", "", found["digits"])
    if found is None or not digits or len(digits) % 2:
        reason = (
            "is empty" if found and not digits else "is not hexadecimal" if not found else "has an odd number of digits"
        )
        raise SqlmlError(
            "SQLML_MODEL_REFUSED",
            f"The model is refused: {what[0].lower()}{what[1:]} {reason}.",
            hint="A model in hexadecimal is 0x08… or 08…, with two digits for each byte.",
        )
    return bytes.fromhex(digits)
