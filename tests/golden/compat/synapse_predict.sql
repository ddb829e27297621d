-- T-SQL's PREDICT in the forms of "PREDICT (Transact-SQL)", https://learn.microsoft.com/sql/t-sql/queries/predict-transact-sql,
-- and of "Score machine learning models with PREDICT" (dedicated SQL pool of Azure Synapse),
-- https://learn.microsoft.com/azure/synapse-analytics/sql-data-warehouse/sql-data-warehouse-predict. The statements are our own.
-- !include sql/data/customers.sql
TRAIN MODEL loyalty USING sklearn.linear_regression TARGET tenure FEATURES (age, monthly) OPTIONS (test_fraction = 0)
AS SELECT age, monthly, 2.0D * age + monthly AS tenure FROM customers;
CREATE DATABASE IF NOT EXISTS dbo;
CREATE OR REPLACE VIEW dbo.people AS SELECT id, age, monthly FROM customers WHERE id < 3;
EXPORT MODEL loyalty INTO TABLE dbo.model_table;
CREATE TABLE dbo.hex_table AS SELECT 1 AS id, hex(model) AS model FROM dbo.model_table;
CREATE TABLE dbo.scored (id BIGINT, score DOUBLE);

-- Score machine learning models with PREDICT, "Scoring the model": a scalar subquery over the table of models.
SELECT d.id, round(p.score, 6) AS score
FROM PREDICT(MODEL = (SELECT model FROM dbo.model_table WHERE name = 'loyalty'),
             DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p
ORDER BY d.id;
-- PREDICT (Transact-SQL), "Syntax" of Synapse: all columns of the data and of the model.
SELECT d.*, round(p.score, 6) AS score FROM PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p ORDER BY d.id;
-- The same, every column of both.
SELECT d.*, p.* FROM PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score DECIMAL(9, 2)) AS p ORDER BY d.id;
SELECT * FROM PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score DECIMAL(9, 3) NOT NULL) AS p ORDER BY id;
-- Names in brackets, as the portal's "Predict with a model" writes them.
SELECT d.id, round(p.score, 6) AS score
FROM PREDICT(MODEL = (SELECT [model] FROM [dbo].[model_table] WHERE [name] = 'loyalty'),
             DATA = [dbo].[people] AS [d], RUNTIME = ONNX) WITH ([score] [real] NULL) AS [p]
ORDER BY d.id;
-- "Loading the model": hexadecimal, as it came from a CSV.
SELECT d.id, round(p.score, 6) AS score
FROM PREDICT(MODEL = (SELECT model FROM dbo.hex_table WHERE id = 1), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p
ORDER BY d.id;
-- PREDICT (Transact-SQL), "Arguments", DATA: a view, the alias of a common table expression, a query.
WITH young AS (SELECT * FROM dbo.people WHERE age < 60)
SELECT d.id, round(p.score, 6) AS score FROM PREDICT(MODEL = loyalty, DATA = young AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p ORDER BY d.id;
SELECT d.id, round(p.score, 6) AS score
FROM PREDICT(MODEL = loyalty, DATA = (SELECT id, age + 1 AS age, monthly FROM dbo.people) AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p ORDER BY d.id;
-- "WITH", result_set_definition: a collation, a nullable column, T-SQL's types.
SELECT d.id, p.prediction, length(p.tenure) > 0 AS tenure, p.predicted_tenure
FROM PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX)
  WITH (prediction SMALLMONEY NULL, tenure NVARCHAR(30) COLLATE Latin1_General_BIN NOT NULL, predicted_tenure REAL) AS p
ORDER BY d.id;
-- "Permissions" and "Examples", D and E of the page's older text: CREATE VIEW and INSERT … SELECT.
CREATE VIEW dbo.predictions AS
SELECT d.*, p.score FROM PREDICT(MODEL = (SELECT model FROM dbo.model_table), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT id, round(score, 6) AS score FROM dbo.predictions ORDER BY id;
INSERT INTO dbo.scored (id, score)
SELECT d.id, p.score FROM PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT id, round(score, 6) AS score FROM dbo.scored ORDER BY id;
-- Joins on either side, and a filter on the score.
SELECT c.plan, round(p.score, 6) AS score
FROM PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p
JOIN customers AS c ON c.id = d.id WHERE p.score > 100 ORDER BY d.id;
SELECT c.plan, round(p.score, 6) AS score
FROM customers AS c INNER JOIN PREDICT(MODEL = loyalty, DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p ON c.id = d.id
ORDER BY d.id;
-- CREATE TABLE AS SELECT.
CREATE TABLE dbo.kept AS SELECT d.id, p.score FROM PREDICT(MODEL = 'loyalty/1', DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score REAL) AS p;
SELECT count(*) AS rows FROM dbo.kept;

-- A subquery that is no model.
SELECT * FROM PREDICT(MODEL = (SELECT model FROM dbo.model_table WHERE name = 'no'), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT * FROM PREDICT(MODEL = (SELECT model FROM dbo.hex_table UNION ALL SELECT 'ab'), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT * FROM PREDICT(MODEL = (SELECT CAST(NULL AS STRING)), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT * FROM PREDICT(MODEL = (SELECT 1), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT * FROM PREDICT(MODEL = (SELECT max(model) FROM dbo.hex_table h WHERE h.id = d.id), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT *
FROM PREDICT(MODEL = (SELECT model
  FROM dbo.no_table), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT * FROM PREDICT(MODEL = (SELECT '0x0102'), DATA = dbo.people AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
DROP DATABASE dbo CASCADE;
DROP MODEL loyalty;
