"""Train and score in five lines of PySpark: `python examples/quickstart.py`."""

import sqlml

spark = sqlml.session()

spark.sql(
    "CREATE OR REPLACE TEMPORARY VIEW points AS SELECT id % 7 AS a, id % 5 AS b, id % 7 > 3 AS big FROM range(500)"
)
spark.sql("TRAIN MODEL big_points USING decision_tree TARGET big AS SELECT * FROM points").show(vertical=True)
spark.sql("SELECT a, b, big, PREDICT(big_points, *) AS predicted FROM points ORDER BY a, b LIMIT 5").show()
