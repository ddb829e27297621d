"""Networks and pipelines that were trained elsewhere, registered from Python and asked in SQL: the answers are those of
the library they came from."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from helpers.foreign_graphs import graph, node
from pyspark.sql import SparkSession
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sqlml
from sqlml.errors import SqlmlError
from sqlml.importing import pytorch, requested
from sqlml.importing.loading import opened
from sqlml.registry import Registry
from sqlml.scoring.scorer import Scorer

pytestmark = pytest.mark.slow
torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -c constraints.txt torch")
skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")

_IRIS = load_iris(as_frame=True)
_NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
_SPECIES = [str(name) for name in _IRIS.target_names]
_FLOWERS = _IRIS.data.set_axis(_NAMES, axis=1)


def _rows(spark: SparkSession, sql: str) -> list[Any]:
    return spark.sql(sql).collect()


def _trained(network: Any, inputs: tuple[Any, ...], wanted: Any, loss: Any) -> Any:
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        loss(network(*inputs), wanted).backward()
        optimizer.step()
    return network


@pytest.fixture(scope="module")
def irises() -> Any:
    torch.manual_seed(3)
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 3)
    )
    inputs = torch.tensor(_FLOWERS.to_numpy(), dtype=torch.float32)
    return _trained(network, (inputs,), torch.tensor(_IRIS.target.to_numpy()), torch.nn.functional.cross_entropy)


@pytest.fixture(scope="module")
def flowers(spark: SparkSession) -> None:
    spark.createDataFrame(_FLOWERS.reset_index(names="id")).createOrReplaceTempView("flowers")


def test_a_network_over_every_row(spark: SparkSession, irises: Any, flowers: None) -> None:
    assert irises.training
    version = sqlml.register_model(
        "irises",
        irises,
        features=_NAMES,
        target="species",
        labels=_SPECIES,
        activation="softmax",
        example=_FLOWERS,
        metrics={"accuracy": 0.97},
        comment="a network",
        tags={"team": "flora"},
    )
    assert irises.training, "the module is left as it was"
    assert version.version == 1 and version.fidelity.rows == 150 and version.fidelity.max_abs_diff < 1e-5
    found = _rows(
        spark,
        "SELECT PREDICT(irises, *) AS species, PREDICT_PROBA(irises, *) AS chances FROM flowers ORDER BY id",
    )
    with torch.no_grad():
        answer = torch.softmax(irises.eval()(torch.tensor(_FLOWERS.to_numpy(), dtype=torch.float32)), 1).numpy()
    assert [row.species for row in found] == [_SPECIES[place] for place in answer.argmax(1)]
    assert np.allclose([[row.chances[name] for name in _SPECIES] for row in found], answer, atol=1e-6)
    # NULL, NaN and infinite, in the first feature and in the last; no rows; one row.
    odd = (
        "VALUES (1, NULL, 3.0, 1.4, 0.2), (2, double('NaN'), 3, 1.4, 0.2), (3, 5.1, 3.5, 1.4, double('inf')),"
        " (4, 5.1, 3.5, 1.4, 0.2)"
    )
    call = "PREDICT(irises, a, b, c, d) AS said, PREDICT_PROBA(irises, a, b, c, d)['setosa'] > 0.9 AS sure"
    assert [tuple(row) for row in _rows(spark, f"SELECT {call} FROM {odd} AS t(id, a, b, c, d) ORDER BY id")] == [
        (None, None),
        (None, None),
        (None, None),
        ("setosa", True),
    ]
    assert _rows(spark, "SELECT PREDICT(irises, *) AS species FROM flowers WHERE id < 0") == []
    assert [row.n for row in _rows(spark, "SELECT COUNT(PREDICT(irises, *)) AS n FROM flowers WHERE id = 7")] == [1]


def test_the_example_of_the_manual(spark: SparkSession, flowers: None) -> None:
    examples = doctest.DocTestParser().get_examples(sqlml.register_model.__doc__ or "")
    network, registration, query, fitted = (example.source for example in examples)
    world: dict[str, Any] = {"sqlml": sqlml, "spark": spark, "torch": torch}
    exec(network, world)
    exec(registration, world)
    said = eval(query, world).collect()
    assert len(said) == 150 and {row.species for row in said} <= {"setosa", "versicolor", "virginica"}
    world["X"] = _IRIS.data
    world["pipeline"] = make_pipeline(StandardScaler(), LogisticRegression()).fit(_IRIS.data, _IRIS.target)
    assert eval(fitted, world).fidelity.rows > 150


def test_the_statements_know_it(spark: SparkSession, irises: Any, flowers: None) -> None:
    words: dict[str, Any] = {"features": _NAMES, "labels": _SPECIES, "activation": "softmax", "target": "species"}
    assert sqlml.register_model("told.irises", irises, **words).version == 1
    assert sqlml.register_model("told.irises", irises, **words, session=spark, metrics={"f1": 0.5}).version == 2
    told = {row.name: (row.value, row.comment) for row in _rows(spark, "DESCRIBE MODEL EXTENDED told.irises VERSION 1")}
    assert told["estimator"] == ("onnx", f"pytorch {torch.__version__.split('+')[0]}")
    assert told["task"] == ("classification", "labels: setosa, versicolor, virginica")
    assert told["target"] == ("species", "string")
    assert told["petal_width"] == ("float", "NULL, NaN and infinity give NULL")
    assert told["# Metrics"] == (None, "none") and told["fidelity"][0] == "16 rows compared"
    assert "# Training" not in told and "seed" not in told
    newest = [tuple(row) for row in _rows(spark, "DESCRIBE MODEL told.irises")]
    assert ("# Metrics", None, "given at registration") in newest and ("f1", "0.5", None) in newest
    (shown,) = _rows(spark, "SHOW MODELS LIKE 'told.irises'")
    assert (shown.versions, shown.newest, shown.estimator, shown.task, shown.target) == (
        2,
        2,
        "onnx",
        "classification",
        "species",
    )
    with pytest.raises(Exception, match=r"Model told\.irises cannot be retrained, because it was not trained by SQL"):
        spark.sql("RETRAIN MODEL told.irises")
    with pytest.raises(
        Exception, match=r"Feature petal_width of model told\.irises is FLOAT, but the expression is STRING"
    ):
        spark.sql("SELECT PREDICT('told.irises', 1, 2, 3, 'wide')").collect()
    spark.sql("DROP MODEL told.irises")
    assert _rows(spark, "SHOW MODELS LIKE 'told.irises'") == []


class _Plans(torch.nn.Module):
    """Numbers and the number of a plan, one logit: a binary classifier with an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.plans = torch.nn.Embedding(4, 3)
        self.last = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))

    def forward(self, numbers: Any, plan: Any) -> Any:
        return self.last(torch.cat([numbers, self.plans(plan)], dim=1))


def test_a_network_with_an_embedding(spark: SparkSession) -> None:
    torch.manual_seed(4)
    network = _Plans().eval()
    sqlml.register_model(
        "leavers",
        network,
        signature="plan int, age double, income decimal(10,2)",
        features={"numbers": ["age", "income"], "plan": "plan"},
        target="churned",
        labels=[False, True],
        activation="sigmoid",
    )
    query = (
        "SELECT id, CAST(id % 4 AS INT) AS plan, (id - 20) / 7D AS age, CAST(id / 10 AS DECIMAL(10,2)) AS income"
        " FROM range(50)"
    )
    found = _rows(
        spark, f"SELECT *, PREDICT(leavers, *) AS said, PREDICT_PROBA(leavers, *)[true] AS p FROM ({query}) ORDER BY id"
    )
    numbers = torch.tensor([[row.age, float(row.income)] for row in found], dtype=torch.float32)
    with torch.no_grad():
        chances = torch.sigmoid(network(numbers, torch.tensor([row.plan for row in found]))).numpy().ravel()
    assert [row.said for row in found] == (chances > 0.5).tolist() and len({row.said for row in found}) == 2
    assert np.allclose([row.p for row in found], chances, atol=1e-6)
    assert _rows(spark, "SELECT PREDICT(leavers, NULL, 1.5, 2) AS said")[0].said is None
    with pytest.raises(Exception, match="An index is outside of an embedding table"):
        _rows(spark, "SELECT PREDICT(leavers, 4, 1.5, 2) AS said")
    with pytest.raises(SqlmlError, match=r"features=\{'numbers': \['…', …\], 'plan': \['…', …\]\}"):
        sqlml.register_model("leavers", network, features=["age", "income", "plan"], labels=[False, True])


def test_several_numbers_and_a_module_that_ignores_names(spark: SparkSession) -> None:
    network = torch.nn.Linear(2, 2, dtype=torch.float64)
    sqlml.register_model("places", network, features=["a", "b"], target=["x", "the y"])
    with torch.no_grad():
        x, y = network(torch.tensor([[1.5, -2.0]], dtype=torch.float64)).tolist()[0]
    (row,) = _rows(
        spark,
        "SELECT PREDICT(places, 1.5, -2) AS p, PREDICT(places, 1.5, -2).`the y` AS y, PREDICT(places, NULL, 1) AS n",
    )
    assert (row.p.x, row.p["the y"], row.y, row.n) == (
        pytest.approx(x, abs=1e-12),
        pytest.approx(y, abs=1e-12),
        row.p["the y"],
        None,
    )
    told = {row.name: (row.value, row.comment) for row in _rows(spark, "DESCRIBE MODEL places")}
    assert told["target"] == ("x, the y", "struct<x:double,the y:double>")
    spark.sql("DROP MODEL places")


def test_a_pipeline_with_a_zipmap(spark: SparkSession) -> None:
    people = pd.DataFrame(
        {
            "age": np.linspace(18, 80, 40),
            "plan": ["gold", "tin", "tin", "none"] * 10,
            "stays": ["yes", "no", "yes", "no", "no"] * 8,
        }
    )
    prepare = ColumnTransformer(
        [("n", StandardScaler(), ["age"]), ("t", OneHotEncoder(handle_unknown="ignore"), ["plan"])]
    )
    pipeline = make_pipeline(prepare, LogisticRegression()).fit(people[["age", "plan"]], people["stays"])
    types = [
        ("age", skl2onnx.common.data_types.FloatTensorType([None, 1])),
        ("plan", skl2onnx.common.data_types.StringTensorType([None, 1])),
    ]
    model = skl2onnx.to_onnx(pipeline, initial_types=types, target_opset={"": 21, "ai.onnx.ml": 3})
    assert any(one.op_type == "ZipMap" for one in model.graph.node)
    sqlml.register_model("stayers", model, target="stays", example=people)
    spark.createDataFrame(people.reset_index(names="id")).createOrReplaceTempView("people")
    found = _rows(spark, "SELECT PREDICT(stayers, *) AS said, PREDICT_PROBA(stayers, *) AS p FROM people ORDER BY id")
    assert [row.said for row in found] == pipeline.predict(people[["age", "plan"]]).tolist()
    chances = [[row.p["no"], row.p["yes"]] for row in found]
    assert np.allclose(chances, pipeline.predict_proba(people[["age", "plan"]]), atol=1e-6)
    unseen, null = _rows(
        spark, "SELECT PREDICT(stayers, age, plan) AS s FROM VALUES (30, 'lead'), (30, NULL) AS t(age, plan)"
    )
    assert unseen.s == pipeline.predict(pd.DataFrame({"age": [30.0], "plan": ["lead"]}))[0] and null.s is None


def test_no_spark_is_needed_and_a_refused_model_leaves_nothing(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'registry.db'}"
    model = graph([("age", "float", ["n", 1])], [("y", "float", ["n", 1])], [node("Relu", "age", "y")])
    path = tmp_path / "relu.onnx"
    onnx.save_model(model, str(path))
    assert sqlml.register_model("relu", path, registry=uri, target="y").version == 1
    registry = Registry(uri)
    client = registry._store._connected()
    experiments = [one.experiment_id for one in client.search_experiments()]
    before = len(client.search_runs(experiments))
    loop = graph([("age", "float", ["n", 1])], [("y", "float", ["n", 1])], [node("Loop", "n c age", "y")])
    relu: dict[str, Any] = {"registry": uri}
    for wrong, words in (
        (loop, {}),
        (b"nothing", {}),
        (model, {"features": ["a", "b"]}),
        (model, {"labels": ["no", "yes"]}),
        (model, {"tags": {"": "x"}}),
        (model, {"metrics": {"f1": "high"}}),
        (model, {"tolerance": -1}),
        (model, {"task": "clustering"}),
        (torch.nn.Linear(1, 1), {"features": ["a", "b"]}),
    ):
        for name in ("relu", "other"):
            with pytest.raises(SqlmlError) as caught:
                sqlml.register_model(name, wrong, **relu, **words)
            assert caught.value.condition != "SQLML_INTERNAL_ERROR"
    with pytest.raises(SqlmlError, match="SQLML_INVALID_NAME"):
        sqlml.register_model("no name", model, **relu)
    assert [one.name for one in registry.models()] == ["relu"] and registry.load("relu").version == 1
    assert len(client.search_runs(experiments)) == before


def test_a_network_that_onnx_gets_wrong_is_refused(tmp_path: Path) -> None:
    class Traced(torch.nn.Module):
        """Its branch is decided while it is exported, by the rows of that moment, and is no part of the graph."""

        def forward(self, x: Any) -> Any:
            return x.sum(1, keepdim=True) * (2.0 if len(x) > 3 else 3.0)

    with pytest.raises(SqlmlError, match=r"by ONNX and .* by the library, where a =") as caught:
        sqlml.register_model("traced", Traced(), features=["a"], registry=f"sqlite:///{tmp_path / 'r.db'}")
    assert caught.value.condition == "SQLML_FIDELITY"
    assert "Use x.shape[0]" in caught.value.hint


class _Transformer(torch.nn.Module):
    """Each column is a token, as in FT-Transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.answer = torch.nn.Linear(1, 8), torch.nn.Linear(8, 1)
        self.first = torch.nn.Parameter(torch.randn(1, 1, 8))
        layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.layers = torch.nn.TransformerEncoder(layer, 1)

    def forward(self, x: Any) -> Any:
        tokens = torch.cat([self.first.expand(x.shape[0], -1, -1), self.token(x.unsqueeze(-1))], dim=1)
        return self.answer(self.layers(tokens)[:, 0])


class _Lstm(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.answer = torch.nn.LSTM(1, 4, batch_first=True), torch.nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.answer(self.layer(x.unsqueeze(-1))[0][:, -1])


class _Convolution(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.answer = torch.nn.Conv1d(1, 2, 2), torch.nn.Linear(2, 1)

    def forward(self, x: Any) -> Any:
        return self.answer(torch.nn.functional.gelu(self.layer(x.unsqueeze(1))).mean(2))


@pytest.mark.parametrize("network", [_Transformer, _Lstm, _Convolution])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_networks_of_many_kinds_use_known_operators(network: Any) -> None:
    torch.manual_seed(5)
    made = pytorch.export(network(), requested(features=list("abcd"), target="y"), (), None)
    found = opened(made.onnx, made.request, made.table, made.native)
    assert found.fidelity.rows == 16 and found.fidelity.max_abs_diff < 1e-5


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize(
    "estimator",
    [
        AdaBoostClassifier(n_estimators=4),
        DecisionTreeClassifier(max_depth=4),
        GaussianNB(),
        GradientBoostingClassifier(n_estimators=5),
        LogisticRegression(max_iter=500),
        MLPClassifier((8,), max_iter=50),
        RandomForestClassifier(10),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_skl2onnx_writes(estimator: Any, zipmap: bool) -> None:
    x, names = _FLOWERS.to_numpy(np.float32), np.array(_SPECIES)[_IRIS.target]
    estimator.fit(x, names)
    model = skl2onnx.to_onnx(estimator, x[:1], options=None if zipmap else {"zipmap": False})
    table = pa.Table.from_pandas(_FLOWERS)
    found = opened(model.SerializeToString(), requested(features=_NAMES), table, ())
    assert found.signature.labels == tuple(sorted(_SPECIES))
    scorer = Scorer(found.onnx, found.signature)
    assert scorer.label(table.columns).to_pylist() == estimator.predict(x).tolist()
    chances = [[chance for _, chance in pairs] for pairs in scorer.probabilities(table.columns).to_pylist()]
    assert np.allclose(chances, estimator.predict_proba(x), atol=1e-4)


def test_other_objects_say_what_to_do(irises: Any) -> None:
    with pytest.raises(SqlmlError, match=r"forward\(input\) are not known\. Give features="):
        sqlml.register_model("irises", irises, registry="sqlite:///nowhere.db")
    with pytest.raises(SqlmlError, match="A PyTorch module takes only numbers, but not all of plan"):
        sqlml.register_model("irises", irises, signature="plan string", registry="sqlite:///nowhere.db")
    with pytest.raises(SqlmlError, match=r"The module fails on every row: .*16x2 and 4x16"):
        sqlml.register_model("irises", irises, features=["a", "b"], registry="sqlite:///nowhere.db")
    assert not Path("nowhere.db").exists()
