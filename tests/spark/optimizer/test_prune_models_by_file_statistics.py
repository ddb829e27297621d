"""Compiled models with what the files of tables say of their rows: smaller where they may be, and the same for all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_RULES = "spark.sql.optimizer.excludedRules"
_RULE = "org.sqlml.optimizer.PruneModels"
_MOST = "spark.sqlml.fileStatistics.maxFiles"
_SEEN = """
SELECT id, id % 9 / 4D AS a, CAST(id % 7 / 8D AS FLOAT) AS f, CAST(id % 61 AS INT) AS age, id % 5 * 10 AS big,
  CAST(id % 11 AS SMALLINT) AS rank, element_at(array('basic', 'gold', 'plus'), CAST(id % 3 + 1 AS INT)) AS plan,
  id % 4 = 0 AS paid, DATE'2020-01-01' + CAST(id % 400 AS INT) AS since
FROM range(1500)
"""
_TARGET = """
SELECT *, a * a + f + age / 20 + IF(plan = 'gold', 3, 0) * IF(paid, 2, 1) + big / 30 + rank % 3 + month(since) AS y
FROM seen
"""
_MODELS = {
    "extreme": "xgboost TARGET y OPTIONS (n_estimators = 20)",
    "boosted": "sklearn.gradient_boosting TARGET y OPTIONS (n_estimators = 20)",
    "forest": "sklearn.random_forest TARGET high OPTIONS (n_estimators = 10, max_depth = 6)",
    "linear": "sklearn.linear_regression TARGET y",
}
_TREES = ("extreme", "boosted", "forest")
_SAID = ", ".join(f"{f'PREDICT({n}, *)' if n == 'forest' else f'round(PREDICT({n}, *), 3)'} AS {n}" for n in _MODELS)
# One row of what is hard, as it would stand in a file beside others.
_ODD = {
    "nulls": "(-1L, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "nans": "(-2L, DOUBLE('NaN'), FLOAT('NaN'), 25, 20L, 3S, 'gold', true, DATE'2020-06-01')",
    "far": "(-3L, DOUBLE('Infinity'), FLOAT('-Infinity'), 2147483647, 9223372036854775807L, -32768S, '', NULL,"
    " DATE'0001-01-01')",
    "zeros": "(-4L, -0.0D, CAST(-0.0D AS FLOAT), 0, 0L, 0S, 'GOLD', false, DATE'1970-01-01')",
}


@pytest.fixture(scope="module")
def models(spark: SparkSession) -> Iterator[None]:
    """Models of several kinds, in a session that compiles."""
    spark.sql(f"CREATE TEMPORARY VIEW seen AS {_SEEN}")
    for name, rest in _MODELS.items():
        wanted = "* EXCEPT (id)" if "TARGET y" in rest else "* EXCEPT (id, y), IF(y > 12, 'yes', 'no') AS high"
        spark.sql(f"TRAIN MODEL {name} USING {rest} AS SELECT {wanted} FROM ({_TARGET})")
    spark.conf.set("spark.sqlml.engine", "compiled")
    spark.conf.set(_MOST, "16")
    yield
    spark.conf.unset("spark.sqlml.engine")
    spark.conf.unset(_MOST)
    for name in _MODELS:
        spark.sql(f"DROP MODEL {name}")
    spark.catalog.dropTempView("seen")


@pytest.fixture
def table(spark: SparkSession, models: None) -> Iterator[Callable[[str], str]]:
    """Makes a table of a query, or of several: each is an INSERT, and so has files of its own."""

    def made(*queries: str, columns: str = "") -> str:
        made_of = f"SELECT /*+ COALESCE(1) */ * FROM ({queries[0]})"
        spark.sql(f"CREATE TABLE listed {columns or 'USING parquet'} AS {made_of}")
        for query in queries[1:]:
            spark.sql(f"INSERT INTO listed SELECT /*+ COALESCE(1) */ * FROM ({query})")
        return "listed"

    yield made
    spark.sql("DROP TABLE IF EXISTS listed")


def _calls(frame: DataFrame) -> dict[str, str]:
    plan = str(frame._jdf.queryExecution().optimizedPlan().toString())
    return {call.split("/")[0]: call for call in re.findall(r"predict\w*\[(.*?)\]\(", plan)}


def _splits(frame: DataFrame) -> dict[str, float]:
    """Of each model that is smaller than it was, which part is left of it."""
    found = {name: re.search(r"(\d+) of (\d+) splits", call) for name, call in _calls(frame).items()}
    return {name: int(one[1]) / int(one[2]) for name, one in found.items() if one}


def _rows(frame: DataFrame) -> list[Any]:
    return sorted(frame.collect(), key=lambda row: (row.id is None, row.id))


def _under(spark: SparkSession, key: str, value: str, query: str) -> list[Any]:
    before = spark.conf.get(key, None)
    spark.conf.set(key, value)
    try:
        return _rows(spark.sql(query))
    finally:
        spark.conf.unset(key) if before is None else spark.conf.set(key, before)


def _same(spark: SparkSession, source: str, where: str = "true") -> dict[str, float]:
    """What is left of the models for a table, whose rows say what whole models and ONNX Runtime say of them."""
    query = f"SELECT id, {_SAID} FROM {source} WHERE {where}"
    frame = spark.sql(query)
    found = _rows(frame)
    assert found, "a query that gives no row shows nothing"
    assert _under(spark, _RULES, _RULE, query) == found
    assert _under(spark, "spark.sqlml.engine", "onnxruntime", query) == found
    return _splits(frame)


def test_bounds_leave_out_branches(spark: SparkSession, table: Callable[..., str]) -> None:
    left = _same(spark, table(f"{_SEEN} WHERE id % 61 BETWEEN 20 AND 30 AND id % 9 = 5"))
    assert set(left) == set(_TREES)
    assert all(part < 0.8 for part in left.values())


def test_a_column_of_one_value_is_not_read(spark: SparkSession, table: Callable[..., str]) -> None:
    name = table(f"{_SEEN} WHERE id % 61 = 7 AND id % 4 = 0 AND id % 5 = 2")
    said = _calls(spark.sql(f"SELECT PREDICT(extreme, *) FROM {name}"))["extreme"]
    assert re.search(r"[1-5] of 8 features", said), said
    assert _same(spark, name)


def test_nothing_is_known_of_what_models_have_seen(spark: SparkSession, table: Callable[..., str]) -> None:
    assert not _same(spark, table(_SEEN))


@pytest.mark.slow
@pytest.mark.parametrize("odd", _ODD)
@pytest.mark.parametrize("apart", [False, True], ids=["in one file", "in a file of its own"])
def test_odd_rows_beside_bounded_ones(spark: SparkSession, table: Callable[..., str], odd: str, apart: bool) -> None:
    """Bounds of floats know nothing of NaN; NULL is in no bounds; a zero has two signs."""
    bounded = f"{_SEEN} WHERE id % 61 BETWEEN 20 AND 30 AND id % 9 BETWEEN 4 AND 6"
    row = f"SELECT * FROM VALUES {_ODD[odd]}"
    left = _same(spark, table(bounded, row) if apart else table(f"({bounded}) UNION ALL {row}"))
    # Of 0001-01-01 to 9999-12-31 and the whole numbers nothing is left out; of the others it is.
    assert odd == "far" or set(left) & set(_TREES)


@pytest.mark.slow
def test_only_odd_rows(spark: SparkSession, table: Callable[..., str]) -> None:
    for odd in _ODD.values():
        assert _same(spark, table(f"{_SEEN} WHERE false UNION ALL SELECT * FROM VALUES {odd}"))
        spark.sql("DROP TABLE listed")


def test_filters_and_bounds_together(spark: SparkSession, table: Callable[..., str]) -> None:
    name = table(f"{_SEEN} WHERE id % 61 > 20")
    both = _same(spark, name, "age < 30 AND plan = 'gold'")
    spark.conf.set(_MOST, "0")
    try:
        assert both["extreme"] < _same(spark, name, "age < 30 AND plan = 'gold'")["extreme"]
    finally:
        spark.conf.set(_MOST, "16")


def test_of_so_many_files(spark: SparkSession, table: Callable[..., str]) -> None:
    name = table(*(f"{_SEEN} WHERE id % 61 = {age}" for age in (20, 25, 30)))
    for most, looked in (("3", True), ("2", False), ("0", False), ("", False)):
        spark.conf.set(_MOST, most)
        try:
            assert bool(_same(spark, name)) is looked
        finally:
            spark.conf.set(_MOST, "16")
    for wrong in ("-1", "few", "1.5"):
        with pytest.raises(Exception, match=rf"INVALID_CONF_VALUE[\s\S]*'{wrong}'[\s\S]*{_MOST}"):
            _under(spark, _MOST, wrong, f"SELECT id, PREDICT(extreme, *) FROM {name}")


def test_whatever_is_between(spark: SparkSession, table: Callable[..., str]) -> None:
    name = table(f"{_SEEN} WHERE id % 61 > 50")
    renamed = f"(SELECT * EXCEPT (years), years AS age FROM (SELECT * EXCEPT (age), age AS years FROM {name}))"
    assert _same(spark, renamed)["extreme"] == _same(spark, name)["extreme"]
    assert _same(spark, f"(SELECT l.* FROM {name} l JOIN {name} r ON l.id = r.id ORDER BY l.id LIMIT 5)")
    added = f"(SELECT r.*, l.id FROM seen l LEFT JOIN (SELECT * EXCEPT (id) FROM {name}) r ON l.age = r.age)"
    assert not _same(spark, added)
    union = f"SELECT PREDICT(extreme, *) FROM (SELECT * FROM {name} UNION ALL SELECT * FROM seen)"
    assert not _splits(spark.sql(union))


def test_dates_in_the_old_calendar(spark: SparkSession, table: Callable[..., str]) -> None:
    """A file says 1500-02-29 by a number that is another day today."""
    old = "SELECT * EXCEPT (since), DATE'1500-02-26' + CAST(rank AS INT) AS since"
    spark.conf.set("spark.sql.parquet.datetimeRebaseModeInWrite", "LEGACY")
    try:
        name = table(f"{old} FROM ({_SEEN}) WHERE age BETWEEN 3 AND 5")
    finally:
        spark.conf.unset("spark.sql.parquet.datetimeRebaseModeInWrite")
    assert _same(spark, name)


# -- files that change, and files of others ----------------------------------------------------------------------------


def _write(path: Path, spark: SparkSession, where: str, older: int = 0, **options: Any) -> pa.Table:
    rows = spark.sql(f"SELECT * FROM ({_SEEN}) WHERE {where}").toArrow()
    place = rows.schema.get_field_index("age")
    rows = rows.set_column(place, "age", pc.add(rows["age"], pa.scalar(older, pa.int32())))
    pq.write_table(rows, path, **options)
    return rows


def test_a_file_that_is_overwritten(spark: SparkSession, models: None, tmp_path: Path) -> None:
    """With one of another range, but the same size."""
    file = tmp_path / "rows.parquet"
    source = f"parquet.`{file}`"
    _write(file, spark, "age = 3", compression="none", use_dictionary=False)
    first = _same(spark, source)
    size = file.stat().st_size
    old = spark.read.parquet(str(file))
    old.createOrReplaceTempView("old")
    _write(file, spark, "age = 3", older=55, compression="none", use_dictionary=False)
    assert file.stat().st_size == size
    second = _same(spark, source)
    assert first and second and first != second
    # What was listed before is not asked: the file is another one.
    assert not _splits(spark.sql("SELECT PREDICT(extreme, *) FROM old"))
    assert _same(spark, "old") == {}
    spark.catalog.dropTempView("old")


def test_rows_that_come_after_the_plan(spark: SparkSession, table: Callable[..., str]) -> None:
    """A query that is planned does not see them, and its models stay those that its rows need."""
    name = table(f"{_SEEN} WHERE id % 61 BETWEEN 20 AND 22")
    query = f"SELECT id, {_SAID} FROM {name}"
    before = spark.sql(query)
    assert _splits(before)
    expected = _under(spark, _RULES, _RULE, query)
    spark.sql(f"INSERT INTO {name} {_SEEN} WHERE id % 61 = 59")
    assert _rows(before) == expected
    after = _same(spark, name)
    assert after["extreme"] > _splits(before)["extreme"]
    assert spark.sql(query).count() > len(expected)


def test_a_column_that_came_later(spark: SparkSession, table: Callable[..., str]) -> None:
    few = f"SELECT * EXCEPT (rank, big) FROM ({_SEEN}) WHERE age BETWEEN 20 AND 22"
    name = table(few)
    spark.sql(f"ALTER TABLE {name} ADD COLUMNS (rank SMALLINT)")
    spark.sql(f"ALTER TABLE {name} ADD COLUMNS (big BIGINT DEFAULT 40)")
    assert _same(spark, name)
    spark.sql(f"INSERT INTO {name} BY NAME {_SEEN} WHERE id % 61 = 20 AND id % 5 = 1")
    assert _same(spark, name)


@pytest.mark.parametrize(
    ("columns", "known"),
    [
        ({}, True),
        ({"AGE": "INT"}, True),
        ({"age": "BIGINT"}, False),
        ({"age": "DOUBLE"}, False),
    ],
    ids=str,
)
def test_columns_as_a_table_has_them(
    spark: SparkSession, models: None, tmp_path: Path, columns: dict[str, str], known: bool
) -> None:
    """Other capitals are the same column; another type is read with other values, maybe."""
    _write(tmp_path / "rows.parquet", spark, "age BETWEEN 20 AND 22 AND id % 9 IN (0, 8) AND big IN (0, 40)")
    types = {
        "id": "BIGINT",
        "a": "DOUBLE",
        "f": "FLOAT",
        "age": "INT",
        "big": "BIGINT",
        "rank": "SMALLINT",
        "plan": "STRING",
        "paid": "BOOLEAN",
        "since": "DATE",
    }
    folded = {name.lower(): (name, type_) for name, type_ in columns.items()}
    schema = ", ".join(" ".join(folded.get(name, (name, type_))) for name, type_ in types.items())
    spark.read.schema(schema).parquet(str(tmp_path)).createOrReplaceTempView("typed")
    try:
        left = _same(spark, "typed").get("extreme", 1.0)
        where = "age BETWEEN 20 AND 22"
        assert (_same(spark, "typed", where).get("extreme", 1.0) == left) is known
    finally:
        spark.catalog.dropTempView("typed")


def test_files_of_others(spark: SparkSession, models: None, tmp_path: Path) -> None:
    """Without statistics nothing is known; numbers without a sign are read as wider ones."""
    rows = _write(tmp_path / "known.parquet", spark, "age BETWEEN 20 AND 22", row_group_size=5)
    pq.write_table(rows, tmp_path / "unknown.parquet", write_statistics=False)
    unsigned = rows.set_column(rows.schema.get_field_index("age"), "age", rows["age"].cast(pa.uint16()))
    pq.write_table(unsigned, tmp_path / "unsigned.parquet")
    nans = rows.set_column(1, "a", pa.array([float("nan")] * len(rows)))
    pq.write_table(nans, tmp_path / "nans.parquet")
    assert _same(spark, f"parquet.`{tmp_path}/known.parquet`")
    assert not _same(spark, f"parquet.`{tmp_path}/unknown.parquet`")
    assert _same(spark, f"parquet.`{tmp_path}/nans.parquet`")
    assert _same(spark, f"parquet.`{tmp_path}/unsigned.parquet`") != _same(spark, f"parquet.`{tmp_path}/known.parquet`")
    assert not _same(spark, f"parquet.`{tmp_path}/*known.parquet`")


def test_a_broken_file(spark: SparkSession, models: None, tmp_path: Path) -> None:
    _write(tmp_path / "rows.parquet", spark, "age BETWEEN 20 AND 22")
    (tmp_path / "broken.parquet").write_bytes(os.urandom(1000))
    spark.conf.set("spark.sql.files.ignoreCorruptFiles", "true")
    try:
        frame = spark.read.schema(spark.table("seen").schema).parquet(str(tmp_path))
        frame.createOrReplaceTempView("half")
        assert not _same(spark, "half")
    finally:
        spark.conf.unset("spark.sql.files.ignoreCorruptFiles")
        spark.catalog.dropTempView("half")


def test_only_trees_look_into_files(spark: SparkSession, models: None, tmp_path: Path) -> None:
    _write(tmp_path / "rows.parquet", spark, "age BETWEEN 20 AND 22")
    source = f"parquet.`{tmp_path}`"
    kept = _private(spark, "common.SoftLruCache", "kept", _private(spark, "optimizer.ParquetStatistics", "KEPT", None))
    looked = [kept.size()]
    for query in (
        f"SELECT age FROM {source} WHERE age > 20",
        f"SELECT PREDICT(linear, *) FROM {source} WHERE age > 20",
        "SELECT PREDICT(extreme, *) FROM (SELECT * EXCEPT (age), age * 2 AS age FROM seen)",
        f"SELECT PREDICT(extreme, *) FROM {source}",
        f"SELECT PREDICT(extreme, *) FROM {source}",
    ):
        spark.sql(query).collect()
        looked.append(kept.size())
    assert [size - looked[0] for size in looked] == [0, 0, 0, 0, 1, 1]


def _private(spark: SparkSession, name: str, field: str, of: Any) -> Any:
    """What a field of a class of ours holds."""
    assert spark._jvm is not None
    found = spark._jvm.java.lang.Class.forName(f"org.sqlml.{name}").getDeclaredField(field)
    found.setAccessible(True)
    return found.get(of)


# -- partitions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def parted(spark: SparkSession, models: None, tmp_path: Path) -> Iterator[str]:
    """Files of the parts `plan=basic`, `plan=gold` and `plan=__HIVE_DEFAULT_PARTITION__`, and half as many ages."""
    rows = f"SELECT * EXCEPT (plan), IF(id % 2 = 0, NULL, plan) AS plan FROM ({_SEEN}) WHERE plan <> 'plus'"
    spark.sql(rows).coalesce(1).write.partitionBy("plan").parquet(str(tmp_path / "parts"))
    spark.read.parquet(str(tmp_path / "parts")).createOrReplaceTempView("parts")
    yield "parts"
    spark.catalog.dropTempView("parts")


@pytest.mark.parametrize("where", ["plan LIKE 'g%'", "length(plan) = 4", "Plan > 'c'", "plan IS NULL", "id % 3 = 1"])
def test_parts_that_are_left(spark: SparkSession, parted: str, where: str) -> None:
    spark.conf.set(_MOST, "0")
    try:
        left = _same(spark, parted, where)
        assert ("extreme" in left) is ("id" not in where)
    finally:
        spark.conf.set(_MOST, "16")


def test_a_filter_that_fails_on_a_part(spark: SparkSession, parted: str) -> None:
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        spark.sql(f"SELECT PREDICT(extreme, *) FROM {parted} WHERE CAST(plan AS INT) > 3").collect()


def test_statistics_of_the_parts_that_are_left(spark: SparkSession, models: None, tmp_path: Path) -> None:
    spark.sql(f"SELECT *, age DIV 10 AS decade FROM ({_SEEN})").coalesce(1).write.partitionBy("decade").parquet(
        str(tmp_path / "decades")
    )
    source = f"parquet.`{tmp_path}/decades`"
    assert not _same(spark, source)
    assert _same(spark, source, "decade = 3")["extreme"] == _same(spark, source, "age BETWEEN 30 AND 39")["extreme"]


def test_parts_of_a_table(spark: SparkSession, table: Callable[..., str]) -> None:
    name = table(f"{_SEEN} WHERE id % 3 < 2", columns="USING parquet PARTITIONED BY (plan)")
    assert _same(spark, name, "plan LIKE 'g%'")
    frame = spark.sql(f"SELECT PREDICT(extreme, *) FROM {name} WHERE plan LIKE 'g%'")
    assert _splits(frame)
    before = frame.count()
    spark.sql(f"INSERT INTO {name} SELECT * EXCEPT (plan), 'green' AS plan FROM ({_SEEN}) WHERE plan = 'plus'")
    assert len(frame.collect()) == before
    assert spark.sql(f"SELECT PREDICT(extreme, *) FROM {name} WHERE plan LIKE 'g%'").count() > before
    assert _same(spark, name, "plan LIKE 'g%'")
