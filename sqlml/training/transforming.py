"""TRANSFORM in training: applies the select list to the query, and tracks which of the query's columns each result
reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlml.errors import SqlmlError
from sqlml.parser.cursor import Piece
from sqlml.session import Expressions
from sqlml.signature import Feature, Transform
from sqlml.training.columns import schema_of


class Transformation:
    """A TRANSFORM list applied to a query.

    Args:
        frame: a Spark DataFrame of the query.
        kept: columns that the statement names, such as the target; they are passed through if the list leaves them out.

    Raises:
        SqlmlError: SQLML_TRANSFORM_INVALID for a list that does not work row by row.
        Exception: Spark's own, for a list that it cannot resolve.
    """

    def __init__(self, expressions: Expressions, frame: Any, select_list: Piece, kept: Sequence[str]) -> None:
        self._expressions, self._list = expressions, select_list
        self._columns = schema_of(frame)
        self.frame, self._reads = expressions.transformed(frame, select_list, kept)

    def stored(self, features: Sequence[Feature]) -> Transform:
        """The transformation as it is stored with a version that has these features."""
        read = {name for feature in features for name in self._reads.get(feature.name, (feature.name,))}
        inputs = tuple(Feature(name, kind) for name, kind in self._columns if name in read)
        if not inputs:
            raise SqlmlError(
                "SQLML_TRANSFORM_INVALID",
                "TRANSFORM uses no column of the query, so the features of all rows would be the same.",
                offset=self._list.offset,
            )
        columns = tuple(Feature(name, kind) for name, kind in self._columns)
        return Transform(self._list.text, columns, inputs, self._expressions.conf())
