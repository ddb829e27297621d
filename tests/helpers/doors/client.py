"""The process of `connect.ClientProcess`: a JSON list of statements a line in, a JSON list of results a line out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))


def main() -> None:
    from helpers.doors.in_process import run_statement

    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    new_session = _sessions(json.loads(sys.argv[1]))
    for line in sys.stdin:
        session = new_session()
        results = [asdict(run_statement(session, statement)) for statement in json.loads(line)]
        print(json.dumps(results), file=answers, flush=True)


def _sessions(session: str | dict[str, str]) -> Callable[[], Any]:
    """How a session for the next file comes about."""
    from pyspark.sql import SparkSession

    if isinstance(session, str):
        return lambda: SparkSession.builder.remote(session).create()
    import sqlml

    builder = SparkSession.builder
    for key, value in session.items():
        builder = builder.config(key, value)
    return sqlml.configure(builder).getOrCreate().newSession


if __name__ == "__main__":
    main()
