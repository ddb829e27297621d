"""PREDICT over streams of files: in a query, in a view, and while new versions are trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TRAIN = (
    "TRAIN MODEL streamed USING sklearn.linear_regression TARGET y AS SELECT id AS x, id * {}.0D AS y FROM range(40)"
)


def _arrive(folder: Path, number: int) -> None:
    """The next file of three rows. Written elsewhere and moved: a stream must not see half a file."""
    half = folder.parent / "half"
    half.write_text("".join(f'{{"x": {10 * number + x}}}\n' for x in range(3)))
    half.rename(folder / f"{number}.json")


def test_a_stream_is_scored(spark: SparkSession, tmp_path: Path) -> None:
    """Files that arrive one after another, a model in the middle, a table in memory at the end."""
    spark.sql(_TRAIN.format(2)).collect()
    arriving = tmp_path / "in"
    arriving.mkdir()
    spark.readStream.schema("x BIGINT").json(str(arriving)).createOrReplaceTempView("arriving")
    scored = spark.sql("SELECT x, round(PREDICT(streamed, *), 3) AS y FROM arriving WHERE PREDICT(streamed, x) < 100")
    query = (
        scored.writeStream.format("memory")
        .queryName("arrived")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .start()
    )
    try:
        for number in range(3):
            _arrive(arriving, number)
            query.processAllAvailable()
    finally:
        query.stop()
    rows = spark.sql("SELECT * FROM arrived ORDER BY x").collect()
    assert [(row.x, row.y) for row in rows] == [(10 * n + x, 2.0 * (10 * n + x)) for n in range(3) for x in range(3)]
    spark.catalog.dropTempView("arriving")
    spark.sql("DROP MODEL streamed").collect()


def test_a_view_over_a_stream(spark: SparkSession, tmp_path: Path) -> None:
    """The same rows as when the view's query reads a table; a version that is trained meanwhile waits for a restart."""
    session = spark.newSession()
    arriving, written = tmp_path / "in", tmp_path / "out"
    arriving.mkdir()
    session.sql(_TRAIN.format(2)).collect()
    session.readStream.schema("x BIGINT").json(str(arriving)).createOrReplaceTempView("arriving")
    session.sql("CREATE TEMPORARY VIEW scored AS SELECT x, round(PREDICT(streamed, *), 3) AS y FROM arriving").collect()
    session.sql(
        "CREATE TEMPORARY VIEW first AS SELECT x, round(PREDICT('streamed/1', *), 3) AS y FROM arriving"
    ).collect()

    def write(view: str, folder: Path) -> None:
        """What has arrived since the last time, as a scheduled job does it."""
        stream = session.table(view).writeStream.format("parquet").option("path", str(folder))
        query = stream.option("checkpointLocation", f"{folder}-checkpoint").trigger(availableNow=True).start()
        assert query.awaitTermination(60)

    _arrive(arriving, 0)
    write("scored", written)
    _arrive(arriving, 1)
    write("scored", written)
    batch = session.read.schema("x BIGINT").json(str(arriving))
    batch.createOrReplaceTempView("batch")
    same = session.sql("SELECT x, round(PREDICT(streamed, *), 3) AS y FROM batch")
    assert _rows(session.read.parquet(str(written))) == _rows(same)
    assert _rows(same) == [(x, 2.0 * x) for x in (0, 1, 2, 10, 11, 12)]

    # A query that runs keeps the version it began with, from batch to batch.
    running = session.table("scored").writeStream.format("memory").queryName("kept").start()
    try:
        running.processAllAvailable()
        session.sql(_TRAIN.format(5)).collect()
        _arrive(arriving, 2)
        running.processAllAvailable()
    finally:
        running.stop()
    assert _rows(session.table("kept")) == [(x, 2.0 * x) for x in (0, 1, 2, 10, 11, 12, 20, 21, 22)]

    # The next start takes the newest, with the same checkpoint; a view that names a version stays with it.
    write("scored", written)
    assert _rows(session.read.parquet(str(written)))[-3:] == [(x, 5.0 * x) for x in (20, 21, 22)]
    write("first", tmp_path / "first")
    assert _rows(session.read.parquet(str(tmp_path / "first")))[-3:] == [(x, 2.0 * x) for x in (20, 21, 22)]
    session.sql("DROP MODEL streamed").collect()


def _rows(frame: DataFrame) -> list[tuple[int, float]]:
    return [(row.x, row.y) for row in frame.orderBy("x").collect()]
