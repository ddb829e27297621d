"""Sends a converted model to a Spark Connect server, which imports it; the object itself stays with the client."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlml.export import metadata
from sqlml.importing.request import Imported
from sqlml.parser.generator import quote_string

if TYPE_CHECKING:
    from pyspark.sql import Row


def sent(session: Any, name: str, found: Imported, comment: str | None, tags: Mapping[str, str]) -> Row:
    """Runs IMPORT MODEL on the server and returns its row.

    The graph travels as a temporary view with one value. Its metadata state features, labels, library and metrics, as
    in a file that EXPORT MODEL wrote.

    Args:
        session: a session of Spark Connect.
        name: the model's name, already checked.
    """
    described = metadata.Described(
        name, "sent", found.digest, found.signature, "onnx", found.library, found.metrics, found.preparation, None
    )
    content = metadata.appended(found.onnx, described.properties())
    view = f"sqlml_model_{uuid.uuid4().hex}"
    session.createDataFrame([(bytearray(content),)], "model binary").createTempView(view)
    try:
        statement = f"IMPORT MODEL {name} FROM (SELECT model FROM {view})"
        if comment is not None:
            statement += f" COMMENT {quote_string(comment)}"
        if tags:
            pairs = ", ".join(f"{quote_string(key)} = {quote_string(value)}" for key, value in tags.items())
            statement += f" TAGS ({pairs})"
        (row,) = session.sql(statement).collect()
        return row
    finally:
        session.catalog.dropTempView(view)
