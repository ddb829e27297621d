"""Where a version says it comes from, and whether it can be made again from that."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from helpers.folders import FIXTURES
from pyspark.errors import PySparkException

from sqlml.lineage import Fingerprint, Lineage, Source
from sqlml.spark.sources import read_by

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ROWS = "SELECT id AS x, id % 7 AS k, cast(id % 3 AS STRING) AS plan, id * 2.0D + id % 5 AS y FROM range(60)"


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    spark.sql("CREATE DATABASE lineage")
    spark.sql(f"CREATE TABLE lineage.facts USING parquet AS {_ROWS}")
    spark.sql("CREATE VIEW lineage.some AS SELECT * FROM lineage.facts WHERE x < 50")
    spark.sql(_ROWS).repartition(2).write.json(str(folder / "files"))
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW plans AS VALUES ('0', 1.5), ('1', 2.5), ('2', 3.5) AS t(plan, price)")
    return folder


def _sources(spark: SparkSession, query: str) -> dict[str, Any]:
    return {source.name: source for source in read_by(spark.sql(query))}


def test_tables_views_files_and_rows(spark: SparkSession, tables: Path) -> None:
    found = _sources(
        spark,
        f"""WITH few AS (SELECT * FROM lineage.some)
        SELECT few.x, price, (SELECT max(y) FROM json.`{tables}/files`) AS most FROM few JOIN plans USING (plan)
        WHERE few.x IN (SELECT id FROM range(10)) AND few.k IN (SELECT * FROM VALUES 1, 2)""",
    )
    facts = found.pop("spark_catalog.lineage.facts")
    assert (facts.kind, facts.format, facts.version) == ("table", "parquet", None)
    assert facts.views == ("spark_catalog.lineage.some",)
    assert facts.files >= 1 and facts.bytes > 500 and len(facts.digest) == 64
    files = found.pop(f"file:{tables}/files")
    assert (files.kind, files.format, files.files) == ("files", "json", 2)
    plans = found.pop("plans")
    assert (plans.kind, plans.views) == ("temporary view", ("plans",))
    assert {name.split(" ")[0]: source.kind for name, source in found.items()} == {
        "Range": "rows",
        "LocalRelation": "rows",
    }


def test_rows_of_python_and_models(spark: SparkSession) -> None:
    session = spark.newSession()
    rows = session.createDataFrame([(1, 2.0), (2, 4.0), (3, 5.0)] * 5, "x INT, y DOUBLE")
    rows.createOrReplaceTempView("from_python")
    train = "TRAIN MODEL {} USING sklearn.decision_tree TARGET y AS SELECT {} FROM from_python"
    session.sql(train.format("lineage_first", "*"))
    session.sql(train.format("lineage_few", "x, y, 1 AS never_used"))
    for engine in ("compiled", "onnxruntime"):
        session.conf.set("spark.sqlml.engine", engine)
        query = "SELECT x, PREDICT(lineage_first, x) AS p, PREDICT(lineage_few, x, 1) AS q FROM from_python"
        assert {name: source.kind for name, source in _sources(session, query).items()} == {
            "lineage_first/1": "model",
            "lineage_few/1": "model",
            "from_python": "temporary view",
        }
    spark.sql("DROP MODEL lineage_first")
    spark.sql("DROP MODEL lineage_few")


def test_files_that_change_have_another_digest(spark: SparkSession, tmp_path: Path) -> None:
    query = f"SELECT * FROM parquet.`{tmp_path}/t`"
    spark.range(5).coalesce(1).write.parquet(str(tmp_path / "t"))
    (first,) = read_by(spark.sql(query))
    assert read_by(spark.sql(query)) == (first,)
    spark.range(5).coalesce(1).write.mode("append").parquet(str(tmp_path / "t"))
    (second,) = read_by(spark.sql(query))
    assert (first.files, second.files) == (1, 2) and first.digest != second.digest


def test_only_the_partitions_that_are_read_count(spark: SparkSession, tables: Path) -> None:
    spark.sql(f"CREATE TABLE lineage.parts USING parquet PARTITIONED BY (k) AS SELECT x, y, k FROM ({_ROWS})")
    name = "spark_catalog.lineage.parts"
    one = _sources(spark, "SELECT * FROM lineage.parts WHERE k = 3")[name]
    two = _sources(spark, "SELECT * FROM lineage.parts WHERE x IN (SELECT x FROM lineage.parts WHERE k = 4) AND k = 3")
    every = _sources(spark, "SELECT * FROM lineage.parts")[name]
    assert 0 < one.files < two[name].files < every.files and every.files >= 7
    spark.sql("INSERT INTO lineage.parts PARTITION (k = 5) VALUES (1, 2)")
    assert _sources(spark, "SELECT * FROM lineage.parts WHERE k = 3")[name] == one
    assert _sources(spark, "SELECT * FROM lineage.parts")[name].digest != every.digest


def test_tables_that_have_versions(spark: SparkSession, tmp_path: Path) -> None:
    import pyspark

    source = FIXTURES / "java" / "VersionedCatalog.java"
    jars = Path(pyspark.__file__).parent / "jars"
    subprocess.run(["javac", "-cp", f"{jars}/*", "-d", tmp_path, source], check=True)
    subprocess.run(["jar", "cf", tmp_path / "versioned.jar", "-C", tmp_path, "."], check=True)
    session = spark.newSession()
    session.sql(f"ADD JAR '{tmp_path}/versioned.jar'")
    session.conf.set("spark.sql.catalog.versioned", "VersionedCatalog")
    session.conf.set("spark.sql.catalog.other", "VersionedCatalog")
    query = "SELECT * FROM versioned.db.facts UNION ALL SELECT * FROM other.db.facts VERSION AS OF 3"
    assert _sources(session, query) == {
        "versioned.db.facts": Source("versioned.db.facts", "table", "versioned", version="7"),
        "other.db.facts": Source("other.db.facts", "table", "versioned", version="3"),
    }


def test_what_a_later_release_adds_is_no_obstacle() -> None:
    lineage = Lineage((Source("t", "table", views=("v", "w")),), 3, "f" * 32, {"database": "d"}, {"python": "3"})
    plain = json.loads(json.dumps(lineage.to_plain()))
    assert Lineage.from_plain(plain) == lineage
    plain["owner"] = plain["sources"][0]["owner"] = "x"
    assert Lineage.from_plain(plain) == lineage


def test_fingerprints(spark: SparkSession) -> None:
    def of(query: str) -> str:
        frame = spark.sql(query)
        made = Fingerprint(frame.dtypes)
        quoted = [f"`{name}`" for name in frame.columns]
        row = frame.selectExpr("count(*)", *made.aggregates(quoted)).first()
        assert row is not None
        found = made.of(*row)
        assert made.of_hashes(frame.selectExpr(made.hash(quoted)).toArrow().column(0)) == found
        return found

    one = of("SELECT * FROM VALUES (1, 'a', 0.5D), (2, NULL, double('NaN')), (3, 'c', NULL) AS t(a, b, c)")
    assert len(one) == 32
    same = "SELECT * FROM VALUES (3, 'c', NULL), (1, 'a', 0.5D), (2, NULL, double('NaN')) AS t(a, b, c)"
    assert of(f"SELECT /*+ REPARTITION(3) */ * FROM ({same})") == one
    others = [
        of("SELECT * FROM VALUES (1, 'a', 0.5D), (2, NULL, NULL), (3, 'c', double('NaN')) AS t(a, b, c)"),
        of(f"SELECT a, b, c AS d FROM ({same})"),
        of(f"SELECT bigint(a) AS a, b, c FROM ({same})"),
        of(f"SELECT * FROM ({same}) WHERE a < 3"),
        of(f"({same}) UNION ALL ({same})"),
        of(f"({same}) UNION ALL ({same}) UNION ALL ({same})"),
        of(f"SELECT * FROM ({same}) WHERE a > 5"),
        of("SELECT * FROM VALUES (NULL, 1), (2, NULL) AS t(a, b)"),
        of("SELECT * FROM VALUES (1, NULL), (NULL, 2) AS t(a, b)"),
    ]
    assert len({one, *others}) == 1 + len(others)


def _described(spark: SparkSession, model: str) -> dict[str, Any]:
    rows = spark.sql(f"DESCRIBE MODEL EXTENDED {model}").collect()
    return {row.name: (row.value, row.comment) for row in rows}


def test_a_version_tells_its_sources(spark: SparkSession, tables: Path) -> None:
    query = "SELECT x, k, y FROM lineage.some"
    spark.sql(f"TRAIN MODEL traced USING sklearn.linear_regression TARGET y AS {query}")
    told = _described(spark, "traced")
    kept, kind = told["spark_catalog.lineage.facts"]
    assert kind == "parquet table through spark_catalog.lineage.some" and kept.split(",")[0].endswith(("file", "files"))
    assert told["columns"][0] == "x bigint, k bigint, y double"
    assert told["settings"][0].startswith("database = spark_catalog.default, spark.sql.ansi.enabled = true, ")
    software = dict(part.rsplit(" ", 1) for part in told["software"][0].split(", "))
    assert software["spark"] == spark.version and {"python", "sqlml", "onnx", "scikit-learn"} <= set(software)

    # MLflow's run has the rows as its input, and MLflow's own API reads the query from it.
    from mlflow import MlflowClient
    from mlflow.data import get_source

    uri = spark.sparkContext.getConf().get("spark.sqlml.registry.uri")
    (given,) = MlflowClient(uri, uri).get_run(told["run_id"][0]).inputs.dataset_inputs
    dataset = given.dataset
    assert (dataset.name, dataset.digest) == ("spark_catalog.lineage.facts", told["fingerprint"][0])
    assert json.loads(dataset.profile) == {"num_rows": 50}
    assert [tag.value for tag in given.tags] == ["training"]
    assert get_source(dataset).load().count() == 50
    spark.sql("DROP MODEL traced")


_STATEMENTS = [
    # The estimator and its engine by default, features by EXCEPT, another seed.
    "TARGET plan FEATURES * EXCEPT (y) OPTIONS (seed = 7)",
    # What BigQuery's words mean, and no split.
    "OPTIONS (model_type = 'linear_reg', input_label_cols = ['y'], l2_reg = 0.5, data_split_method = 'no_split')",
    "USING sklearn.decision_tree TARGET y OPTIONS (max_depth = hparam_range(1, 5), num_trials = 3, cv_folds = 2)",
    "USING auto TARGET plan OPTIONS (estimators = ['random_forest', 'k_neighbors'], num_trials = 3, time_budget = 600)",
    "USING lightgbm TARGET y TRANSFORM (x + k AS s, plan) OPTIONS (n_estimators = 5, split_column = 'x')",
    "USING k_means FEATURES (x, k) OPTIONS (n_clusters = 3, max_rows = 50)",
    "USING mllib.random_forest TARGET plan FEATURES (x, k) OPTIONS (numTrees = 3, class_weights = 'balanced')",
]


@pytest.mark.slow
@pytest.mark.parametrize("clauses", _STATEMENTS)
def test_the_statement_makes_the_same_model_again(spark: SparkSession, tables: Path, clauses: str) -> None:
    spark.sql(f"TRAIN MODEL replayed {clauses} AS SELECT * FROM lineage.facts")
    (row,) = spark.sql("SHOW CREATE MODEL replayed").collect()
    assert "hparam" not in row.createmodel_stmt and "num_trials" not in row.createmodel_stmt
    spark.sql(row.createmodel_stmt)
    first, second = (_described(spark, f"replayed VERSION {version}") for version in (1, 2))
    assert first["digest"] == second["digest"], row.createmodel_stmt
    assert first["fingerprint"] == second["fingerprint"]
    (again,) = spark.sql("SHOW CREATE MODEL replayed VERSION 2").collect()
    assert again == row
    spark.sql("DROP MODEL replayed")


def test_a_registrys_query_is_no_command(spark: SparkSession, registry_folder: Path) -> None:
    """Who may write to the registry, digests and all, has nothing run by who trains a model again."""
    from mlflow import MlflowClient

    spark.sql("CREATE OR REPLACE TEMPORARY VIEW precious AS SELECT id AS x, 2.0D * id AS y FROM range(40)")
    spark.sql("TRAIN MODEL written_over USING sklearn.linear_regression TARGET y AS SELECT * FROM precious")
    (path,) = (one for one in registry_folder.rglob("sqlml.json") if b"MODEL written_over" in one.read_bytes())
    content = path.read_bytes().replace(b"SELECT * FROM precious", b"DROP VIEW precious")
    path.write_bytes(content)
    uri = f"sqlite:///{registry_folder / 'registry.db'}"
    digest = hashlib.sha256(content).hexdigest()
    MlflowClient(uri, uri).set_model_version_tag("written_over", "1", "sqlml.document", digest)
    with pytest.raises(PySparkException, match="Expected a query, found a command"):
        spark.sql("RETRAIN MODEL written_over").collect()
    assert spark.sql("SELECT count(*) FROM precious").head()[0] == 40
    spark.sql("RETRAIN MODEL written_over AS SELECT * FROM precious").collect()
    spark.sql("DROP MODEL written_over")


def test_the_audit_logs_redaction_is_sparks(spark: SparkSession) -> None:
    """A regular expression of Java's, which Python might not even read."""
    from sqlml.spark.applications import _redaction

    def redacted(settings: dict[str, str], text: str) -> str:
        context: Any = SimpleNamespace(_conf=settings, _jvm=spark.sparkContext._jvm)
        return _redaction(context)(text)

    pattern = r"(?i)key=\p{Alnum}++"
    said = "IMPORT MODEL m FROM 's3a://Key=abc1/m.onnx'"
    hidden = "IMPORT MODEL m FROM 's3a://*********(redacted)/m.onnx'"
    assert redacted({"spark.sql.redaction.string.regex": pattern}, said) == hidden
    assert redacted({"spark.redaction.string.regex": pattern}, said) == hidden
    assert redacted({}, said) == said
