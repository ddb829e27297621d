-- None of our words is reserved: they go on as names of columns, tables, aliases.
SELECT model, train, target FROM (SELECT 1 AS model, 2 AS train, 3 AS target);
SELECT model.target AS features, train.model AS using FROM (SELECT 1 AS target) model, (SELECT 2 AS model) train;
SELECT predict FROM (SELECT 1 AS predict);
SELECT predict.predict AS predict_proba FROM (SELECT 1 AS predict) predict;
WITH predict AS (SELECT 1 AS a), predict_proba(b) AS (SELECT 2) SELECT a, b FROM predict, predict_proba;
CREATE OR REPLACE TEMPORARY VIEW train AS SELECT 1 AS model, 2 AS models, 3 AS options, 4 AS ml;
SELECT model, models, options, ml FROM train;
-- !only pyspark pyhive beeline connect
DESCRIBE train;
FROM train |> SELECT model AS describe |> LIMIT 1;
SELECT 'TRAIN MODEL m AS SELECT 1' AS text, 'PREDICT(m, a)' AS call /* PREDICT(m, a) */;
SELECT named_struct('predict', 1).predict AS field;
DROP VIEW train;
-- Texts that begin like ours and are Spark's, or nobody's.
SHOW TABLES LIKE 'models_of_nobody';
SHOW MODEL;
TRAIN;
TRAIN churn AS SELECT 1;
DROP TABLE IF EXISTS model;
