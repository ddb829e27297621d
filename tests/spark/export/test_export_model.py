"""EXPORT MODEL through SQL: what it writes is used by others, and imported again to the same answers."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from helpers.refused import refused as _refused
from pyspark.sql import SparkSession

from sqlml.errors import SqlmlError
from sqlml.export import metadata
from sqlml.formats import FORMATS, onnx_file
from sqlml.formats.mlflow_folder import served
from sqlml.importing import requested
from sqlml.importing.loading import opened
from sqlml.spark.launch import application_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> Iterator[SparkSession]:
    """A session with rows of every kind of column, and a model that takes them all."""
    spark.sql("""
        CREATE OR REPLACE TEMPORARY VIEW people AS
        SELECT IF(id % 9 = 4, NULL, id) AS id, IF(id % 7 = 3, NULL, id % 50 / 3D) AS age,
               element_at(array('a', 'é☃', '', NULL), CAST(id % 4 + 1 AS INT)) AS plan,
               CAST(id * 7 % 90 AS DECIMAL(10, 2)) AS paid, id % 3 = 0 AS kind,
               date_add(DATE'2020-01-01', CAST(id * 3 AS INT)) AS day,
               TIMESTAMP'2020-01-01 00:00:00' + make_interval(0, 0, 0, 0, CAST(id * 7 AS INT)) AS moment,
               IF(id % 50 > 20 AND id % 4 <> 1, 'yes', 'no') AS answer
        FROM range(200)""")
    spark.sql(
        "TRAIN MODEL people COMMENT 'of all kinds' USING sklearn.random_forest TARGET answer"
        " OPTIONS (n_estimators = 5, test_fraction = 0) AS SELECT * FROM people"
    ).collect()
    yield spark
    spark.sql("DROP MODEL people").collect()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is one of the allowed folders."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _expected(spark: SparkSession) -> pd.DataFrame:
    return spark.sql("SELECT *, PREDICT(people, *) AS said, PREDICT_PROBA(people, *) AS p FROM people").toPandas()


def _inputs(rows: pd.DataFrame) -> dict[str, Any]:
    """What a program without sqlml would make of the columns, from the description of sqlml.scoring.scorer."""
    epoch = pd.Timestamp("1970-01-01")
    moments = {
        "day": (pd.to_datetime(rows["day"]) - epoch) / pd.Timedelta(days=1),
        "moment": (rows["moment"] - epoch) / pd.Timedelta(seconds=1),
    }
    texts = {"plan": rows["plan"].map(lambda text: "\0NULL" if text is None else text).astype(object)}
    columns = {**{name: rows[name].astype(float) for name in ("id", "age", "paid", "kind")}, **moments, **texts}
    return {name: column.to_numpy().reshape(-1, 1) for name, column in columns.items()}


def test_an_onnx_runtime_that_has_never_heard_of_it(people: SparkSession, here: Path) -> None:
    (row,) = people.sql("EXPORT MODEL people VERSION 1 TO 'people.onnx'").collect()
    content = (here / "people.onnx").read_bytes()
    assert (row.model, row.version, row.format, row.written, row.bytes) == (
        "people", 1, "onnx", "people.onnx", len(content),
    )  # fmt: skip
    onnx.checker.check_model(onnx.load(here / "people.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(here / "people.onnx", providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    assert (said["sqlml.name"], said["sqlml.version"], said["sqlml.digest"]) == ("people", "1", row.digest)
    assert said["sqlml.estimator"] == "sklearn.random_forest" and said["sqlml.library"].startswith("scikit-learn")
    assert json.loads(said["sqlml.signature"])["features"][0]["name"] == "id"
    expected = _expected(people)
    labels, chances = session.run(["label", "probabilities"], _inputs(expected))
    assert labels.tolist() == expected["said"].tolist() and set(labels) == {"no", "yes"}
    assert chances.tolist() == [[p["no"], p["yes"]] for p in expected["p"]]


def test_mlflow_that_has_never_heard_of_it(people: SparkSession, here: Path) -> None:
    import mlflow

    people.sql("EXPORT MODEL people TO 'folder' FORMAT mlflow").collect()
    assert (here / "folder" / "MLmodel").is_file() and not list(here.glob(".*"))
    loaded = mlflow.pyfunc.load_model(str(here / "folder"))
    expected = _expected(people)
    columns = pd.DataFrame({name: array.ravel() for name, array in _inputs(expected).items()})
    answers = loaded.predict(columns)
    assert answers["label"].tolist() == expected["said"].tolist()
    assert answers["probability_yes"].tolist() == [p["yes"] for p in expected["p"]]
    assert list(answers.columns) == ["label", "probability_no", "probability_yes"]
    people.sql("IMPORT MODEL people_folder FROM 'folder'").collect()
    assert _same(people, "people_folder") == 200
    people.sql("DROP MODEL people_folder").collect()


def _same(spark: SparkSession, other: str) -> int:
    """Rows for which another model says what `people` does, to the last bit, NULLs and unseen categories among them."""
    (row,) = spark.sql(f"""
        SELECT count_if(PREDICT(people, *) <=> PREDICT({other}, *)
                        AND PREDICT_PROBA(people, *) ['yes'] <=> PREDICT_PROBA({other}, *)['yes']) AS same
        FROM people""").collect()
    (odd,) = spark.sql(f"""
        SELECT PREDICT_PROBA(people, NULL, NULL, NULL, NULL, NULL, NULL, NULL)['yes']
               <=> PREDICT_PROBA({other}, NULL, NULL, NULL, NULL, NULL, NULL, NULL)['yes'] AS nulls,
               PREDICT_PROBA(people, 1e300, double('NaN'), 'unseen', -1, false, DATE'0001-01-01', now())['yes']
               <=> PREDICT_PROBA({other}, 1e300, double('NaN'), 'unseen', -1, false, DATE'0001-01-01', now())['yes']
               AS far""").collect()
    assert odd.nulls and odd.far
    return int(row.same)


def test_every_way_out_and_back(people: SparkSession, here: Path) -> None:
    people.sql("EXPORT MODEL people TO 'people.onnx'").collect()
    people.sql("EXPORT MODEL people TO 'people.csv'").collect()
    people.sql("DROP TABLE IF EXISTS people_models").collect()
    people.sql("EXPORT MODEL people INTO TABLE people_models").collect()
    text = (here / "people.csv").read_text()
    assert bytes.fromhex(text) == (here / "people.onnx").read_bytes() and text == text.upper() and text.count("\n") == 1
    people.read.csv(str(here / "people.csv")).toDF("model").createOrReplaceTempView("synapse")
    version = application_of(people)[0].load("people")
    for source in ("'people.onnx'", "(SELECT model FROM people_models)", "(SELECT model FROM synapse)"):
        (row,) = people.sql(f"IMPORT MODEL people_back FROM {source} COMMENT 'back'").collect()
        assert (row.digest, row.library, row.task) == (version.digest, version.library, "classification")
        assert row.features == [f"{feature.name} {feature.type}" for feature in version.signature.features]
        back = application_of(people)[0].load("people_back")
        assert (back.signature, back.preparation) == (version.signature, version.preparation)
        assert back.metrics == pytest.approx(version.metrics) and back.sql.startswith("IMPORT MODEL people_back\nFROM ")
    assert _same(people, "people_back") == 200
    # And what was imported can be exported.
    people.sql("EXPORT MODEL people_back VERSION 3 TO 'again.onnx'").collect()
    again, first = onnx.load(here / "again.onnx"), onnx.load(here / "people.onnx")
    assert again.graph == first.graph
    people.sql("DROP MODEL people_back").collect()
    people.sql("DROP TABLE people_models").collect()


def test_tables_of_models(people: SparkSession) -> None:
    people.sql("DROP TABLE IF EXISTS the_models").collect()
    people.sql("EXPORT MODEL people INTO TABLE `the_models`").collect()
    (row,) = people.sql("EXPORT MODEL people VERSION 1 INTO TABLE the_models").collect()
    (one, two) = people.sql("SELECT * FROM the_models ORDER BY exported").collect()
    assert one.model == two.model and (one.name, one.version, one.description) == ("people", 1, "of all kinds")
    assert (row.written, row.bytes, row.format) == ("the_models", len(one.model), "table")
    assert one.digest == application_of(people)[0].load("people").digest == row.digest
    assert json.loads(one.signature)["target"] == "answer" and one.exported <= two.exported
    # A table of one's own: more columns, and in another order.
    people.sql("CREATE TABLE own_models USING parquet AS SELECT 7 AS id, * FROM the_models WHERE version = 9").collect()
    people.sql("EXPORT MODEL people INTO TABLE own_models").collect()
    (own,) = people.table("own_models").collect()
    assert (own.id, own.name, own.model) == (None, "people", one.model)
    people.sql("CREATE TABLE bad_models USING parquet AS SELECT string(version) AS version, * EXCEPT (version)"
               " FROM the_models WHERE version = 9").collect()  # fmt: skip
    text = _refused(people, "EXPORT MODEL people INTO TABLE bad_models")
    assert "[SQLML_TYPE_MISMATCH] The column version of bad_models is STRING" in text
    assert "SCHEMA_NOT_FOUND" in _refused(people, "EXPORT MODEL people INTO TABLE nowhere.models")
    for table in ("the_models", "own_models", "bad_models"):
        people.sql(f"DROP TABLE {table}").collect()


def test_what_exists_is_replaced_only_where_that_was_meant(people: SparkSession, here: Path) -> None:
    for name, content in (("notes.onnx", b"notes"), ("notes.csv", b"a,b\n"), ("mlflow.db", b"")):
        (here / name).write_bytes(content)
    (here / "folder").mkdir()
    (here / "folder" / "MLmodel").write_text("flavors: {}")
    for statement in (
        "TO 'notes.onnx'", "TO 'notes.csv'", "TO 'folder' FORMAT mlflow", "TO '.' FORMAT mlflow",
        "TO 'mlflow.db'", "TO 'mlflow.db' FORMAT onnx",
    ):  # fmt: skip
        text = _refused(people, f"EXPORT MODEL people {statement} OPTIONS (overwrite = true)")
        assert any(name in text for name in ("ALREADY_EXISTS", "NOT_ALLOWED", "OPTION_INVALID")), text
    assert (here / "notes.onnx").read_bytes() == b"notes" and (here / "folder" / "MLmodel").stat().st_size == 11
    for end, options in ((".onnx", ""), (".csv", ""), ("", " FORMAT mlflow")):
        people.sql(f"EXPORT MODEL people TO 'twice{end}'{options}").collect()
        assert "already exists" in _refused(people, f"EXPORT MODEL people TO 'twice{end}'{options}")
        people.sql(f"EXPORT MODEL people TO 'twice{end}'{options} OPTIONS (overwrite = true)").collect()
    assert not list(here.glob(".*"))


@pytest.mark.parametrize(
    ("using", "target"),
    [
        ("sklearn.k_means", ""),
        ("sklearn.gaussian_mixture", ""),
        ("sklearn.isolation_forest", ""),
        ("sklearn.pca OPTIONS (n_components = 2)", ""),
        ("sklearn.k_neighbors", "TARGET kind"),
        ("sklearn.decision_tree OPTIONS (task = 'classification')", "TARGET day"),
        ("sklearn.linear_svm", "TARGET answer"),
        ("sklearn.linear_regression", "TARGET paid"),
    ],
    ids=lambda value: value.partition(" ")[0].removeprefix("sklearn."),
)
def test_models_of_every_task(people: SparkSession, using: str, target: str) -> None:
    name, _, options = using.partition(" ")
    day = "date_add(DATE'2020-01-01', CAST(id % 3 AS INT)) AS day"
    columns = f"CAST(id % 5 AS DOUBLE) AS a, age, kind, answer, {day}, paid"
    people.sql(
        f"TRAIN MODEL tasks USING {name} {target} FEATURES (a, age) {options}"
        f" AS SELECT {columns} FROM people WHERE id IS NOT NULL"
    ).collect()
    version = application_of(people)[0].load("tasks")
    found = opened(onnx_file.content(version), requested(), None, ())
    assert (found.digest, found.signature) == (version.digest, version.signature)
    _check_served(version)
    people.sql("IMPORT MODEL tasks_back FROM 'models:/tasks'").collect()
    (row,) = people.sql(
        "SELECT count_if(PREDICT(tasks, a, age) <=> PREDICT(tasks_back, a, age)) AS same FROM"
        " (SELECT CAST(id AS DOUBLE) AS a, age FROM people)"
    ).collect()
    assert row.same == 200
    for model in ("tasks", "tasks_back"):
        people.sql(f"DROP MODEL {model}").collect()


def _check_served(version: Any) -> None:
    """The graph for MLflow says the same on columns [rows]."""
    session = onnxruntime.InferenceSession(served(onnx_file.content(version), version.signature))
    first = onnxruntime.InferenceSession(version.onnx())
    columns = {name: np.linspace(0.0, 20.0, 7) for name in ("a", "age")}
    flat = dict(zip([one.name for one in session.get_outputs()], session.run(None, columns), strict=True))
    whole = [array.reshape(7, -1).T for array in first.run(None, {name: x[:, None] for name, x in columns.items()})]
    assert [array.tolist() for array in flat.values()] == [column.tolist() for array in whole for column in array]
    assert next(iter(flat)) in ("label", "prediction", "prediction_component_1")


def test_a_transform_stays_behind(people: SparkSession, here: Path) -> None:
    """It is SQL, and nobody runs SQL that came with a file."""
    people.sql(
        "TRAIN MODEL made USING sklearn.linear_regression TARGET paid TRANSFORM (age * 2 AS twice, paid)"
        " AS SELECT age, paid FROM people"
    ).collect()
    people.sql("EXPORT MODEL made TO 'made.onnx'").collect()
    said = metadata.properties_of(onnx.load(here / "made.onnx"))
    assert said is not None and said["sqlml.transform"] == "age * 2 AS twice, paid"
    (row,) = people.sql("IMPORT MODEL made_back FROM 'made.onnx'").collect()
    assert row.features == ["twice double"]
    (both,) = people.sql("SELECT PREDICT(made, 5D) AS a, PREDICT(made_back, 10D) AS b").collect()
    assert both.a == both.b
    for model in ("made", "made_back"):
        people.sql(f"DROP MODEL {model}").collect()


# -- files that say of themselves what is not true ---------------------------------------------------------------------


def _forged(content: bytes, **changes: Any) -> bytes:
    """An exported file with other properties, and the digest to it."""
    said = metadata.properties_of(onnx.ModelProto.FromString(content))
    assert said is not None
    graph = content.removesuffix(metadata.message(said))
    signature = json.loads(said["sqlml.signature"]) | changes.pop("signature", {})
    said |= {"sqlml.signature": json.dumps(signature), "sqlml.digest": hashlib.sha256(graph).hexdigest(), **changes}
    return metadata.appended(graph, said)


def _wrong(content: bytes) -> str:
    with pytest.raises(SqlmlError) as caught:
        opened(content, requested(), None, ())
    assert caught.value.condition == "SQLML_MODEL_REFUSED"
    return caught.value.message


def test_what_a_file_says_of_itself_is_checked(people: SparkSession) -> None:
    good = onnx_file.content(application_of(people)[0].load("people"))
    assert opened(_forged(good), requested(), None, ()).title == "people version 1"
    features = [{"name": "id", "type": "bigint", "required": False}]
    for signature, reason in (
        ({"features": features}, "does not have the same input"),
        (
            {"features": features * 2},
            "cannot be read: ValueError: it has no features, or two features have the same name",
        ),
        ({"features": [{"name": "id"}]}, "cannot be read: KeyError"),
        ({"features": [{"name": "id", "type": "map<int,int>", "required": False}]}, "is not a type of a column"),
        ({"labels": ["yes", "no", "perhaps"]}, "its output probabilities has another shape"),
        ({"labels": ["nein", "ja"]}, "returned a label that is not one of that model's"),
        ({"labels": ["yes", 1]}, "labels must be strings, booleans or numbers"),
        ({"labels": [["yes"]]}, "cannot be read: ValueError"),
        ({"labels": [], "task": "regression"}, "which does not have the outputs label, probabilities"),
        ({"task": "magic"}, "'magic' is not a task"),
        ({"target_type": "string; DROP TABLE x"}, "is not a type of a column"),
        ({"target": 7}, "7 is not a name"),
    ):
        assert pytest.importorskip("re").search(reason, _wrong(_forged(good, signature=signature))), reason
    assert "cannot be read" in _wrong(_forged(good, **{"sqlml.signature": "[" * 100_000}))
    for metrics in ('{"a": "high"}', '{"a b": 1}', '{"a": NaN}', "[1]"):
        assert "cannot be read" in _wrong(_forged(good, **{"sqlml.metrics": metrics}))
    assert "cannot be read" in _wrong(_forged(good, **{"sqlml.preparation": "{}"}))
    many = onnx.ModelProto.FromString(_forged(good))
    many.metadata_props.add(key="sqlml.exact_rows", value=str(10**9))
    assert "has been changed since" in _wrong(many.SerializeToString())
    changed = onnx.ModelProto.FromString(good)
    changed.graph.node[0].name = "changed"
    assert "it is people version 1, but it has been changed since" in _wrong(changed.SerializeToString())
    # Whoever says what it is need not believe the file.
    names = [value.name for value in changed.graph.input]
    found = opened(
        changed.SerializeToString(), requested(features=names, outputs=["label"], labels=["no", "yes"]), None, ()
    )
    assert found.title == "" and found.signature.labels == ("no", "yes")


# -- SQL ---------------------------------------------------------------------------------------------------------------


def test_an_engine_that_has_never_heard_of_it(people: SparkSession, here: Path) -> None:
    people.sql(
        "TRAIN MODEL told USING sklearn.decision_tree TARGET answer FEATURES (age, plan) OPTIONS (max_depth = 4)"
        " AS SELECT * FROM people"
    ).collect()
    people.sql(
        "EXPORT MODEL told TO 'told.sql' OPTIONS (dialect = 'sqlite', table = 'people', columns = ['row'])"
    ).collect()
    text = (here / "told.sql").read_text(encoding="utf-8")
    assert text.startswith("-- Written by sqlml: model told version 1, SHA-256 ")
    expected = people.sql(
        "SELECT row_number() OVER (ORDER BY id NULLS LAST, age) AS row, age, plan, PREDICT(told, age, plan) AS said"
        " FROM people"
    ).collect()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE people (row INTEGER, age REAL, plan TEXT)")
    database.executemany("INSERT INTO people VALUES (?, ?, ?)", [(one.row, one.age, one.plan) for one in expected])
    said = {row[0]: row[1] for row in database.execute(text)}
    assert said == {one.row: one.said for one in expected}
    for options, reason in (
        ("dialect = 'sqlite'", "FORMAT sql needs OPTIONS (table = …)"),
        ("table = 'people'", "FORMAT sql needs OPTIONS (dialect = …)"),
        ("dialect = 'cobol', table = 'people'", "cobol"),
        ("dialect = 'sqlite', table = 'people', columns = 'row'", "columns must be a list of names"),
        ("dialect = 'sqlite', table = 'people', column = ['row']", "Did you mean columns?"),
    ):
        text = _refused(people, f"EXPORT MODEL told TO 'other.sql' OPTIONS ({options})")
        assert reason in text and not (here / "other.sql").exists(), text
    people.sql(
        "EXPORT MODEL told TO 'told.sql' OPTIONS (dialect = 'duckdb', table = 'people', overwrite = true)"
    ).collect()
    people.sql("DROP MODEL told").collect()


# -- the registry's own folder -----------------------------------------------------------------------------------------


def test_the_registry_s_own_files_are_nobody_s_to_name(
    people: SparkSession, registry_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(registry_folder)
    (graph, *_) = (path.relative_to(registry_folder) for path in registry_folder.rglob("model.onnx"))
    for statement in (
        f"IMPORT MODEL taken FROM '{graph}'",
        f"IMPORT MODEL taken FROM '{graph.parent}'",
        f"EXPORT MODEL people TO '{graph.with_name('planted.onnx')}'",
        # SQLite could write no more: it keeps a file of this name while it does.
        "EXPORT MODEL people TO 'registry.db-journal' FORMAT mlflow",
        "IMPORT MODEL taken FROM 'registry.db'",
    ):
        assert "[SQLML_PATH_NOT_ALLOWED]" in _refused(people, statement)


def test_each_format_is_one_row() -> None:
    assert list(FORMATS) == sorted(FORMATS)
