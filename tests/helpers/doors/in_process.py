"""The PySpark door: a session of the test process, with settings of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.doors.hive_text import cell
from helpers.doors.result import Result, failure_from

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class InProcess:
    name = "pyspark"
    shows_types = True
    keeps_lines = True

    def __init__(self, spark: SparkSession, settings: Mapping[str, str] | None = None) -> None:
        self._spark, self._settings = spark, dict(settings or {})

    def run(self, statements: Sequence[str]) -> list[Result]:
        session = self._spark.newSession()
        for key, value in self._settings.items():
            session.conf.set(key, value)
        return [run_statement(session, statement) for statement in statements]

    def close(self) -> None:
        """The session belongs to the test process."""


def run_statement(session: SparkSession, statement: str) -> Result:
    """Runs one statement in a classic or a Connect session."""
    from pyspark.errors import PySparkException, PythonException

    try:
        frame = session.sql(statement)
        rows = frame.collect()
    except PySparkException as error:
        failure = failure_from(str(error))
        # The client's own idea of the error must be the one in its text. Of an error in a Python worker Spark says
        # PYTHON_EXCEPTION, and the text is ours.
        if not isinstance(error, PythonException):
            assert failure.condition == (error.getCondition() or ""), (failure, error.getCondition())
            assert failure.sqlstate == (error.getSqlState() or ""), (failure, error.getSqlState())
        return Result(failure=failure, raw=str(error))
    fields = frame.schema.fields
    single = [field.dataType.typeName() == "float" for field in fields]
    return Result(
        tuple((field.name, field.dataType.simpleString()) for field in fields),
        tuple(tuple(cell(value, single=short) for value, short in zip(row, single, strict=True)) for row in rows),
    )
