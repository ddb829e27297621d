"""PyHive against Spark's Thrift server: what Superset, dbt and Airflow use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpers.doors.hive_text import cell
from helpers.doors.result import Result, failure_from


class Thrift:
    name = "pyhive"
    shows_types = True
    keeps_lines = True

    def __init__(self, port: int, user: str = "tester") -> None:
        self.port = port
        self.user = user

    def connect(self) -> Any:
        from pyhive import hive

        return hive.connect(host="127.0.0.1", port=self.port, username=self.user, auth="NONE")

    def run(self, statements: Sequence[str]) -> list[Result]:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            return [run_statement(cursor, statement) for statement in statements]
        finally:
            connection.close()

    def close(self) -> None:
        """Every run is a connection of its own."""


def run_statement(cursor: Any, statement: str) -> Result:
    from pyhive.exc import OperationalError

    try:
        cursor.execute(statement)
        rows = cursor.fetchall()
    except OperationalError as error:
        status = error.args[0].status
        failure = failure_from(status.errorMessage)
        assert status.sqlState == (failure.sqlstate or None), status
        return Result(failure=failure, raw=status.errorMessage)
    columns = tuple((name, kind.removesuffix("_TYPE").lower()) for name, kind, *_ in cursor.description)
    if columns == (("Result", "string"),):
        # The server's answer to a statement that has none.
        return Result()
    single = [kind == "float" for _, kind in columns]
    return Result(
        columns,
        tuple(tuple(cell(value, single=short) for value, short in zip(row, single, strict=True)) for row in rows),
    )
