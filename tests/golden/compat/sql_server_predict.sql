-- T-SQL's PREDICT in the forms of "PREDICT (Transact-SQL)" for SQL Server and SQL Managed Instance,
-- https://learn.microsoft.com/sql/t-sql/queries/predict-transact-sql, of "Native scoring using the PREDICT T-SQL function",
-- https://learn.microsoft.com/sql/machine-learning/predictions/native-scoring-predict-transact-sql, and of "Deploy and make
-- predictions with an ONNX model and SQL machine learning" (SQL Edge), https://learn.microsoft.com/azure/azure-sql-edge/deploy-onnx.
-- !include sql/data/houses.sql
TRAIN MODEL housing USING sklearn.linear_regression TARGET price FEATURES (area, rooms) OPTIONS (test_fraction = 0) AS SELECT area, rooms, 10.0D * area + rooms AS price FROM houses;
CREATE OR REPLACE TEMPORARY VIEW some AS SELECT id, area, rooms FROM houses WHERE id < 3;
EXPORT MODEL housing INTO TABLE scoring_models;

-- Deploy and make predictions with an ONNX model: DECLARE with a subquery, and a common table expression as DATA.
DECLARE @model VARBINARY(MAX) = (SELECT model FROM scoring_models WHERE name = 'housing');
WITH predict_input AS (SELECT id, CAST(area AS DOUBLE) AS area, rooms FROM some)
SELECT predict_input.id, round(p.variable1, 6) AS medv
FROM PREDICT(MODEL = @model, DATA = predict_input, RUNTIME = ONNX) WITH (variable1 FLOAT) AS p
ORDER BY predict_input.id;
-- PREDICT (Transact-SQL), "Syntax" of SQL Server: no RUNTIME.
SELECT d.id, round(p.score, 6) AS score FROM PREDICT(MODEL = @model, DATA = some AS d) WITH (score FLOAT) AS p ORDER BY d.id;
-- Native scoring: an ordinary query around it.
SELECT count(*) AS dear FROM PREDICT(MODEL = @model, DATA = some AS d) WITH (price_Pred FLOAT) AS p WHERE p.price_Pred > 600;
SELECT d.id, CASE WHEN p.price > 600 THEN 'dear' ELSE 'cheap' END AS class
FROM PREDICT(MODEL = @model, DATA = some AS d) WITH (price FLOAT) AS p ORDER BY d.id DESC LIMIT 2;
-- Native scoring and Azure Data Studio's generated query: names in brackets, here also in the query that returns the model.
DECLARE @model VARBINARY(MAX) = (SELECT [model] FROM [scoring_models] WHERE [name] = 'housing'), @least FLOAT = 600;
SELECT d.id, round(p.`the price`, 6) AS price
FROM PREDICT(MODEL = @model, DATA = [some] AS [d]) WITH ([the price] [float] NOT NULL) AS [p] WHERE p.`the price` > least ORDER BY d.id;
-- The same with SET QUOTED_IDENTIFIER ON.
SELECT d.id, p.score FROM PREDICT(MODEL = [housing], DATA = "some" AS "d") WITH ("score" DECIMAL(18, 2)) AS "p" ORDER BY d.id;
SELECT d.id FROM PREDICT(MODEL = [no such model], DATA = [some] AS [d]) WITH ([score] FLOAT) AS [p];
SELECT d.id FROM PREDICT(MODEL = @model, DATA = [default].[no_table] AS [d]) WITH ([score] FLOAT) AS [p];
-- A variable that holds a model's name, and the type of a column in brackets.
DECLARE @model NVARCHAR(100) = 'housing/1';
SELECT d.id, p.score FROM PREDICT(MODEL = @model, DATA = some AS d) WITH ([score] [decimal](18, 2)) AS p ORDER BY d.id;
-- PREDICT (Transact-SQL), "Arguments", MODEL: a literal.
SELECT d.id, p.score FROM PREDICT(MODEL = 'housing', DATA = some AS d) WITH (score NUMERIC(10, 1)) p ORDER BY d.id;
-- A view keeps no variable.
CREATE VIEW never AS SELECT p.score FROM PREDICT(MODEL = @model, DATA = houses AS d) WITH (score FLOAT) AS p;
SELECT d.id FROM PREDICT(MODEL = @unknown, DATA = some AS d) WITH (score FLOAT) AS p;
DROP TEMPORARY VARIABLE model;
DROP TEMPORARY VARIABLE least;
DROP TABLE scoring_models;
DROP MODEL housing;
