"""What `auto` goes by: how the work of a row is counted, and which engine that makes the cheaper one.

`--update-golden` writes the costs into the manual.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers.compiler_fixtures import fixture
from helpers.folders import ROOT
from helpers.sql_engines import FIXTURES

from sqlml.compiler import cost
from sqlml.compiler.catalyst import Program, program
from sqlml.compiler.feature_usage import used_features
from sqlml.compiler.forest_packing import pack, work
from sqlml.compiler.node import Node
from sqlml.estimators.sklearn import training as engine
from sqlml.export.graph import Graph
from sqlml.export.trees import emit
from sqlml.jobs.job import Fitted, Job
from sqlml.signature import Feature, Signature

_PAGE = ROOT / "sql" / "reference" / "engines.md"
_BEGIN, _END = "<!-- costs -->\n", "<!-- end of costs -->\n"
_WORDS = {
    "row": "a row",
    "number": "a column that is not a text",
    "text": "a text: looked up among those of training; sent to Python",
    "entry": "the probability of a label; a number of a struct",
    "operation": "an operation",
    "element": "a number that a node of the graph writes",
    "function": "EXP, LN, TANH and similar functions",
    "product": "a product in a matrix",
    "step": "a step down a tree",
    "vote": "a number of a leaf that is added to a sum",
}


def _costs() -> str:
    lines = ["| nanoseconds per row, for each | compiled | onnxruntime |", "|---|---:|---:|"]
    for unit, words in _WORDS.items():
        cells = [f"{table[unit]:g}" if unit in table else "" for table in (cost.COMPILED, cost.ONNXRUNTIME)]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_manual_shows_the_costs(request: pytest.FixtureRequest) -> None:
    assert set(_WORDS) == {*cost.COMPILED, *cost.ONNXRUNTIME}
    page = _PAGE.read_text(encoding="utf-8")
    prose = " ".join(page.split())
    assert (
        f"{cost.COMPILING / 1e6:g} ms for each operation" in prose and f"spreads that over {cost.ROWS:,} rows" in prose
    )
    before, _, rest = page.partition(_BEGIN)
    shown, _, after = rest.partition(_END)
    if request.config.getoption("--update-golden"):
        _PAGE.write_text(before + _BEGIN + _costs() + _END + after, encoding="utf-8")
    else:
        assert shown == _costs()


def _fit(estimator: str, columns: int, *, texts: int = 0, **options: Any) -> Fitted:
    random = np.random.default_rng(3)
    numbers = {f"n{place}": random.standard_normal(300) for place in range(columns)}
    words = {f"t{place}": np.array(list("abcdef"))[random.integers(0, 6, 300)] for place in range(texts)}
    target = (numbers["n0"] + random.standard_normal(300) > 0).astype(np.int32)
    features = [*(Feature(name, "double") for name in numbers), *(Feature(name, "string") for name in words)]
    signature = Signature("classification", tuple(features), "y", "int")
    job = Job(estimator, signature, options, seed=1, test_fraction=0.2, tolerance=1e-6)
    return engine.fit(job, pa.table({**numbers, **words, "y": target}), lambda line: None)


def _program(fitted: Fitted) -> Program:
    signature = fitted.signature
    given = [feature.type for feature in signature.features]
    made = program(fitted.onnx, signature, given, used_features(fitted.onnx, signature))
    assert made is not None
    return made


def test_the_work_of_a_linear_model() -> None:
    fitted = _fit("sklearn.logistic_regression", 5, texts=2)
    made = _program(fitted)
    there = cost.by_onnxruntime("predict_proba", fitted.onnx, made, fitted.signature)
    # A text of six values is six columns of the matrix.
    counts = [there[unit] for unit in ("row", "number", "text", "entry", "product", "step")]
    assert counts == [1, 5, 2, 2, 17, 0]
    here = cost.by_program("predict_proba", made, fitted.signature)
    assert here["text"] == 2 and here["entry"] == 2 and here["step"] == 0 and here["function"] > 0
    # A product and a sum for each number, and less than ten for everything else about it.
    assert 2 * 5 < here["operation"] < 10 * 7
    assert cost.by_program("predict", made, fitted.signature)["entry"] == 0


def test_a_scaled_and_weighted_feature_is_one_product() -> None:
    made = _program(_fit("sklearn.logistic_regression", 5))
    assert sum(" * " in definition.sql for definition in made.definitions) == 5
    assert not any("SQLML_QUOTIENT" in definition.sql for definition in made.definitions)


@pytest.mark.parametrize(
    ("estimator", "columns", "options", "compiled"),
    [
        ("sklearn.logistic_regression", 1, {}, True),
        ("sklearn.logistic_regression", 28, {}, True),
        ("sklearn.random_forest", 6, {"n_estimators": 200, "max_depth": 3}, True),
        ("sklearn.neural_network", 28, {"hidden_layer_sizes": (8,), "max_iter": 5}, True),
        ("sklearn.quadratic_discriminant_analysis", 4, {}, True),
        ("sklearn.quadratic_discriminant_analysis", 16, {}, True),
        ("sklearn.neural_network", 2, {"hidden_layer_sizes": (40, 40), "max_iter": 5}, False),
    ],
)
def test_choices(estimator: str, columns: int, options: dict[str, Any], compiled: bool) -> None:
    fitted = _fit(estimator, columns, **options)
    made = _program(fitted)
    assert cost.compiled_is_cheaper("predict_proba", fitted.onnx, made, fitted.signature) == compiled


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_models_made_elsewhere_are_reckoned_too(path: Path) -> None:
    model, _ = fixture(path)
    signature = model.signature
    given = [feature.type for feature in signature.features]
    used = used_features(model.onnx, signature)
    made = program(model.onnx, signature, given, used)
    if made is None:
        pytest.skip("not compiled")
    here = cost.nanoseconds(cost.by_program("predict", made, signature), cost.COMPILED)
    there = cost.nanoseconds(cost.by_onnxruntime("predict", model.onnx, made, signature), cost.ONNXRUNTIME)
    assert here > 0 and there > cost.ONNXRUNTIME["row"]


def test_steps_down_trees() -> None:
    """Of 13 trees the kernel walks ten together, and the other three in the place of ten; of twelve two alone."""
    from sklearn.ensemble import RandomForestRegressor

    from sqlml.export.sklearn.trees import ensemble

    x = np.random.default_rng(5).standard_normal((400, 3))
    for trees, last in ((13, 10), (12, 2)):
        model = RandomForestRegressor(trees, max_leaf_nodes=13, max_features=1, random_state=1).fit(
            x, x[:, 0] * x[:, 1]
        )
        graph = Graph()
        emit(graph, "x", ensemble(model), 1, np.float64)
        (node,) = graph._nodes
        depths = sorted(tree.get_depth() for tree in model.estimators_)
        found = work(pack(Node.of(node), "rounded"))
        assert found.together == 10 * depths[9] + last * depths[-1]
        assert found.apart == pytest.approx(sum(_walk(tree.tree_, 0) for tree in model.estimators_))
        assert found.apart < found.together and found.votes == trees


def _walk(tree: Any, place: int) -> float:
    left, right = tree.children_left[place], tree.children_right[place]
    return 0.0 if left < 0 else 1 + (_walk(tree, left) + _walk(tree, right)) / 2
