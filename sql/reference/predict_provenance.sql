-- PREDICT_PROVENANCE(model)
--
-- Returns the version of a model that scores in this query: STRUCT<model STRING, version INT, digest STRING, scored_at
-- TIMESTAMP, last_known_at TIMESTAMP>. The model is named as in PREDICT. All calls of PREDICT with the same model in a query use this version,
-- also in views and subqueries, even if a new version is registered or an alias moves meanwhile. `digest` is the
-- SHA-256 of the version's ONNX graph. `scored_at` is the time of the query, as in current_timestamp().
--
-- `last_known_at` is NULL if the registry has said which version the model's name, alias or number means. If the registry
-- does not answer, the last known version scores (see spark.sqlml.registry.staleness), and `last_known_at` is the time at
-- which the registry said so.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);

SELECT x, PREDICT(line, x) AS y, PREDICT_PROVENANCE(line) AS provenance FROM VALUES (1L), (2L) AS t (x);

-- In a view, it shows the version of each query.
CREATE OR REPLACE TEMPORARY VIEW lines AS
  SELECT x, PREDICT(line, x) AS y, PREDICT_PROVENANCE(line) AS provenance FROM VALUES (1L), (2L) AS t (x);
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 3.0D * id AS y FROM range(40);
SELECT x, y, provenance.version FROM lines;

DROP VIEW lines;
DROP MODEL line;
