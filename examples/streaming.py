"""Score files as they arrive: `python examples/streaming.py`."""

import tempfile
from pathlib import Path

import sqlml

spark = sqlml.session()
folder = Path(tempfile.mkdtemp())

spark.sql(
    "TRAIN MODEL fares USING linear_regression TARGET fare AS SELECT id AS km, 3 + 2.0D * id AS fare FROM range(50)"
)
spark.range(5).selectExpr("id AS km").write.json(str(folder / "rides"))

# The view is an ordinary one; that its rows arrive as a stream changes nothing.
spark.readStream.schema("km BIGINT").json(str(folder / "rides")).createOrReplaceTempView("rides")
spark.sql("CREATE TEMPORARY VIEW priced AS SELECT *, round(PREDICT(fares, *), 2) AS fare FROM rides")

# All that is there now, then the end; the next run goes on from the checkpoint, with the model's newest version then.
stream = spark.table("priced").writeStream.option("checkpointLocation", str(folder / "checkpoint"))
stream.trigger(availableNow=True).start(str(folder / "priced"), format="parquet").awaitTermination()
spark.read.parquet(str(folder / "priced")).orderBy("km").show()
