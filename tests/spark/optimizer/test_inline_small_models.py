"""Where the code of a compiled model stands: in place, or in a method; and in none that HotSpot leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from helpers.generated_code import generated

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# HotSpot compiles no method of more bytes: HugeMethodLimit.
_LARGEST = 8_000
_FEATURES = ", ".join(f"sin(id * {place + 1}) AS f{place}" for place in range(28))
_SUMS = ", ".join(f"f{place % 27} * 2 + f{place % 27 + 1} AS g{place}" for place in range(54))
_MODELS = ("linear_28", "linear_5")


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> Iterator[SparkSession]:
    session = spark.newSession()
    session.sql(
        f"CREATE OR REPLACE TEMPORARY VIEW features AS SELECT id, id % 3 = 0 AS said, {_FEATURES} FROM range(300)"
    )
    for name, columns in zip(_MODELS, (28, 5), strict=True):
        features = ", ".join(f"f{place}" for place in range(columns))
        session.sql(
            f"TRAIN MODEL {name} USING sklearn.logistic_regression TARGET said FEATURES ({features})"
            " OPTIONS (split_method = 'none') AS SELECT * FROM features"
        )
    # Not so that the table's rows come out of a relation in memory, whose expressions are computed when it is planned.
    session.sql("CREATE OR REPLACE TEMPORARY VIEW kept AS SELECT * FROM features DISTRIBUTE BY id")
    session.conf.set("spark.sqlml.engine", "compiled")
    # An adaptive plan generates no code before it runs.
    session.conf.set("spark.sql.adaptive.enabled", "false")
    yield session
    for name in _MODELS:
        session.sql(f"DROP MODEL {name}")


@pytest.mark.parametrize(
    ("query", "methods"),
    [
        pytest.param("SELECT sum(PREDICT_PROBA(linear_28, *)[true]) FROM kept", 0, id="one-in-place"),
        pytest.param("SELECT id, PREDICT(linear_28, *) AS a FROM kept", 0, id="beside-a-column"),
        pytest.param(
            "SELECT id, PREDICT(linear_5, *) AS a, PREDICT(linear_5, * EXCEPT (f0), 1.0D AS f0) AS b FROM kept",
            0,
            id="two-in-place",
        ),
        pytest.param(
            f"SELECT {_SUMS}, PREDICT_PROBA(linear_28, *)[true] FROM kept",
            1,
            id="beside-many-columns",
        ),
        pytest.param(
            f"SELECT {', '.join(f'PREDICT_PROBA(linear_28, * EXCEPT (f0), {n}.0D AS f0)[true]' for n in range(5))}"
            " FROM kept",
            5,
            id="five-in-methods",
        ),
    ],
)
def test_methods(session: SparkSession, query: str, methods: int) -> None:
    frame = session.sql(query)
    code = generated(frame)
    assert len(set(re.findall(r"private boolean (\w*score_\d+)\(", code))) == methods
    sizes = [int(size) for size in re.findall(r"maxMethodCodeSize:(\d+)", code)]
    assert sizes and max(sizes) < _LARGEST
    rows = sorted(map(str, frame.collect()))
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    try:
        assert sorted(map(str, session.sql(query).collect())) == rows
    finally:
        session.conf.unset("spark.sql.codegen.wholeStage")


def test_each_column_is_read_where_it_is_used(session: SparkSession) -> None:
    """All columns first, then all that is made of them, would take more registers than there are."""
    code = generated(session.sql("SELECT id, PREDICT_PROBA(linear_28, *)[true] AS a FROM kept"))
    read = [found.start() for found in re.finditer(r"\.getDouble\(", code)]
    assert len(read) == 28
    for this, following in pairwise(read):
        assert " * " in code[this:following]
