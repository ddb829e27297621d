-- DECLARE
--
--   DECLARE @name [AS] type [= expression] [, @name …]
--
-- Keeps a model in a variable for later queries, PREDICT(MODEL = @name, …), as T-SQL does. It creates or replaces the
-- Spark session variable of that name. The expression can be a scalar subquery. Types are those of T-SQL or Spark:
-- VARBINARY(MAX) is BINARY, NVARCHAR(n) is STRING, and FLOAT is DOUBLE. DECLARE without an @ is Spark's own statement.
-- Names in the query can be in brackets. As in T-SQL, an expression cannot use the variables of the same statement.
-- Outside of MODEL = …, use the variable by its plain name, as in Spark.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;
EXPORT MODEL leavers INTO TABLE scoring_models;

DECLARE @model VARBINARY(MAX) = (SELECT model FROM scoring_models WHERE name = 'leavers');
SELECT d.id, p.label FROM PREDICT(MODEL = @model, DATA = customers AS d, RUNTIME = ONNX) WITH (label VARCHAR(3)) AS p ORDER BY d.id LIMIT 3;

-- The name of a registered model, and a second variable.
DECLARE @model NVARCHAR(100) = 'leavers/1', @most INT = 3;
SELECT d.id, p.label FROM PREDICT(MODEL = @model, DATA = customers AS d) WITH (label VARCHAR(3)) AS p ORDER BY d.id LIMIT 3;
SELECT model, most;

DROP TEMPORARY VARIABLE model;
DROP TEMPORARY VARIABLE most;
DROP TABLE scoring_models;
DROP MODEL leavers;
