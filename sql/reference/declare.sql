-- DECLARE
--
--   DECLARE @name [AS] type [= expression] [, @name …]
--
-- T-SQL's way to keep a model for the queries that follow, PREDICT(MODEL = @name, …). It makes the Spark session
-- variable of that name, whatever it was before. The expression may be a scalar subquery. Types are T-SQL's or Spark's:
-- VARBINARY(MAX) is BINARY, NVARCHAR(n) STRING, FLOAT DOUBLE. DECLARE without an @ is Spark's own statement.
-- Names in a query here may stand in brackets. As in T-SQL, an expression knows none of the variables beside it.
-- In other places than MODEL = the variable goes by its plain name, as Spark has it.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;
EXPORT MODEL leavers INTO TABLE scoring_models;

DECLARE @model VARBINARY(MAX) = (SELECT model FROM scoring_models WHERE name = 'leavers');
SELECT d.id, p.label FROM PREDICT(MODEL = @model, DATA = customers AS d, RUNTIME = ONNX) WITH (label VARCHAR(3)) AS p ORDER BY d.id LIMIT 3;

-- A model of the registry by its name, and a second variable.
DECLARE @model NVARCHAR(100) = 'leavers/1', @most INT = 3;
SELECT d.id, p.label FROM PREDICT(MODEL = @model, DATA = customers AS d) WITH (label VARCHAR(3)) AS p ORDER BY d.id LIMIT 3;
SELECT model, most;

DROP TEMPORARY VARIABLE model;
DROP TEMPORARY VARIABLE most;
DROP TABLE scoring_models;
DROP MODEL leavers;
