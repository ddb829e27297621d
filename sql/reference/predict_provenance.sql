-- PREDICT_PROVENANCE(model)
--
-- Which version of a model scores in this query: STRUCT<model STRING, version INT, digest STRING, scored_at TIMESTAMP>.
-- The model is named as in PREDICT. It is the version that every PREDICT of the same reference in the same query uses,
-- through views and subqueries too, also where a new one is registered or an alias moves meanwhile. `digest` is the
-- SHA-256 of the version's ONNX graph, `scored_at` the moment of the query, as in current_timestamp().
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);

SELECT x, PREDICT(line, x) AS y, PREDICT_PROVENANCE(line) AS provenance FROM VALUES (1L), (2L) AS t (x);

-- In a view it tells of each query anew.
CREATE OR REPLACE TEMPORARY VIEW lines AS
  SELECT x, PREDICT(line, x) AS y, PREDICT_PROVENANCE(line) AS provenance FROM VALUES (1L), (2L) AS t (x);
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 3.0D * id AS y FROM range(40);
SELECT x, y, provenance.version FROM lines;

DROP VIEW lines;
DROP MODEL line;
