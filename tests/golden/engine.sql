-- Both engines say the same of every row, also where something is missing or was never seen.
-- !include sql/data/customers.sql
TRAIN MODEL leaving USING sklearn.logistic_regression TARGET churned FEATURES (age, plan, monthly, since, paperless) AS SELECT * FROM customers;
TRAIN MODEL paying USING sklearn.gradient_boosting TARGET monthly FEATURES (age, plan, churned) OPTIONS (n_estimators = 9) AS SELECT * FROM customers;
CREATE TEMPORARY VIEW hard AS
SELECT age, plan, monthly, since, paperless, churned FROM customers
UNION ALL VALUES (CAST(NULL AS INT), CAST(NULL AS STRING), DOUBLE('NaN'), CAST(NULL AS DATE), CAST(NULL AS BOOLEAN), CAST(NULL AS STRING)),
  (2147483647, 'never seen', DOUBLE('Infinity'), DATE'0001-01-01', true, ''), (-1, 'BASIC', -0.0D, DATE'9999-12-31', false, 'yes');
SET spark.sqlml.engine = onnxruntime;
CREATE TABLE of_onnxruntime AS
SELECT *, PREDICT(leaving, *) AS leaves, round(PREDICT_PROBA(leaving, *)['yes'], 9) AS certain, round(PREDICT(paying, *), 9) AS pays FROM hard;
CREATE TEMPORARY VIEW asked AS SELECT PREDICT(leaving, *) AS leaves, PREDICT_PROBA(leaving, *) AS shares FROM hard;
SET spark.sqlml.engine = compiled;
SELECT leaves, count(shares) FROM asked GROUP BY leaves ORDER BY leaves;
CREATE TEMPORARY VIEW asked_again AS SELECT PREDICT(leaving, *) AS leaves, PREDICT_PROBA(leaving, *) AS shares FROM hard;
-- !keep predict\w*\[\S+ \w+[^]]*\]|ArrowEvalPython
EXPLAIN SELECT PREDICT(leaving, *), PREDICT(paying, *) FROM hard;
CREATE TABLE of_spark AS
SELECT *, PREDICT(leaving, *) AS leaves, round(PREDICT_PROBA(leaving, *)['yes'], 9) AS certain, round(PREDICT(paying, *), 9) AS pays FROM hard;
SELECT count(*), count(leaves), count(certain), count(pays) FROM of_spark;
SELECT * FROM of_spark EXCEPT ALL SELECT * FROM of_onnxruntime;
-- What is computed from texts, and a filter on what is predicted.
SELECT count(*) FROM hard WHERE PREDICT(leaving, *) = 'yes' AND PREDICT(paying, *) > 50;
SELECT DISTINCT PREDICT(leaving, age, substring(plan, 1, 9), monthly, since, paperless) AS said FROM hard ORDER BY said;
-- Where a graph cannot be compiled, ONNX Runtime scores.
TRAIN MODEL near USING sklearn.k_neighbors TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(near, *) FROM customers;
-- A view is the same under either engine.
SET spark.sqlml.engine = onnxruntime;
SELECT leaves, count(shares) FROM asked_again GROUP BY leaves ORDER BY leaves;
SET spark.sqlml.engine = fast;
SET spark.sqlml.fileStatistics.maxFiles = many;
RESET spark.sqlml.engine;
DROP TABLE of_spark;
DROP TABLE of_onnxruntime;
DROP VIEW asked;
DROP VIEW asked_again;
DROP VIEW hard;
DROP MODEL near;
DROP MODEL paying;
DROP MODEL leaving;
