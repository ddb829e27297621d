-- PREDICT
--
-- A model's prediction for each row: the label in the target's own type, or a DOUBLE. It is an ordinary expression and
-- stands wherever an expression can.
--
--   PREDICT(model, *)                    from all columns in scope, by name; columns the model does not know are ignored
--   PREDICT(model, a, b, c)              where all are columns named like features: by name; where none is: by position
--   PREDICT(model, age => a, plan => p)  by name, from expressions
--
-- The model is a bare name (the newest version) or a text: 'churn', 'churn/3' (version 3), 'churn@champion' (an alias).
-- ML_PREDICT is the same function. PREDICT(MODEL m, a) and PREDICT(MODEL m, TABLE a) mean PREDICT(m, a): tools that
-- parse SQL before they send it write that.
--
-- In FROM it is a table, the input's columns and then the model's outputs (their names: predict_outputs.sql):
--
--   PREDICT(model, TABLE(t)) | PREDICT(model, TABLE(SELECT …))
--   PREDICT(MODEL => model, DATA => TABLE(t) [, THRESHOLD => 0.7] [, KEEP_ORIGINAL_COLUMNS => false])
--   ML.PREDICT(MODEL model, TABLE t | (SELECT …) [, STRUCT(0.7 AS threshold)])                       as BigQuery
--   PREDICT(MODEL = model, DATA = t AS d [, RUNTIME = ONNX]) WITH (column type, …) AS p              as SQL Server and Synapse
--
-- The last has the input's columns as d.*, the outputs as p.*, each converted to its type: FLOAT is DOUBLE, REAL FLOAT,
-- BIT BOOLEAN, TINYINT SMALLINT, NVARCHAR(n) and the like STRING without a limit, DATETIME2 TIMESTAMP, MONEY
-- DECIMAL(19,4); Spark's own types work too. The model is a name, a text, @variable (see declare.sql), a literal 0x…, or a
-- scalar subquery that returns an ONNX graph as BINARY or in hexadecimal; it is asked when the statement is analysed, and
-- reads nothing of the query around it. Such a graph passes the checks of IMPORT MODEL,
-- once, and is not registered. Whoever may PREDICT with a registered version may score with its bytes; any other graph
-- takes the permission to import a model called onnx.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;

SELECT id, PREDICT(leavers, *) AS will_leave FROM customers ORDER BY id LIMIT 5;
SELECT id, PREDICT(leavers, monthly, age, plan) AS will_leave FROM customers ORDER BY id LIMIT 5;
SELECT PREDICT(leavers, 30, 'basic', 25.5) AS by_position, PREDICT(leavers, plan => 'basic', age => 30, monthly => 25.5) AS by_name;

-- A version of its own; a column that happens to have the model's name does not matter.
SELECT PREDICT('leavers/1', age, plan, monthly) AS will_leave FROM (SELECT *, 1 AS leavers FROM customers) LIMIT 1;

-- Aliases of the function.
SELECT ML_PREDICT(leavers, *) AS a, PREDICT(MODEL leavers, age, plan, monthly) AS b, PREDICT(MODEL leavers, TABLE age, plan, monthly) AS c
FROM customers LIMIT 1;

-- NULL goes to the model's own imputation, and a category that training never saw counts as unknown: never an error.
SELECT PREDICT(leavers, NULL, 'gold', 25) AS will_leave;

-- Which texts are equal is what the feature's type said in training, whatever is given for it: trailing blanks of CHAR(n)
-- do not count, a collation such as UTF8_LCASE takes 'Pro' for 'pro'. A DATE, a TIMESTAMP and a TIMESTAMP_NTZ become
-- each other as CAST does it, in the session's time zone (spark.sql.session.timeZone); for a DATE feature a timestamp is
-- cast by hand. Labels of a CHAR(n) target have no trailing blanks, and those of a collated one its type.
TRAIN MODEL pays USING decision_tree TARGET monthly FEATURES (plan) AS SELECT plan COLLATE UTF8_LCASE AS plan, monthly FROM customers;
SELECT PREDICT(pays, 'BASIC') = PREDICT(pays, 'basic') AS the_same, PREDICT(pays, 'basic ') = PREDICT(pays, 'basic') AS others;
DROP MODEL pays;

-- Anywhere: filters, groups, joins, views, tables, pipes.
SELECT count(*) AS at_risk FROM customers WHERE PREDICT(leavers, *) = 'yes';
SELECT plan, count_if(PREDICT(leavers, *) = 'yes') AS at_risk FROM customers GROUP BY plan ORDER BY plan;
CREATE OR REPLACE VIEW scored_customers AS SELECT *, PREDICT(leavers, *) AS will_leave FROM customers;
SELECT will_leave, round(avg(monthly), 2) AS pays FROM scored_customers GROUP BY will_leave ORDER BY will_leave;
FROM customers |> EXTEND PREDICT(leavers, *) AS will_leave |> WHERE will_leave = 'yes' |> AGGREGATE count(*) AS at_risk;

-- CASE, IF, COALESCE, AND, OR and FILTER guard it as they guard any expression: arguments that may fail are computed for
-- the rows of the branch alone.
SELECT count(CASE WHEN id <> 3 THEN PREDICT(leavers, age, plan, monthly / (id - 3)) END) AS asked FROM customers;

-- As a table.
SELECT id, predicted_churned, predicted_churned_probs FROM PREDICT(leavers, TABLE(customers)) ORDER BY id LIMIT 3;
SELECT count(*) AS at_risk FROM PREDICT(MODEL => 'leavers/1', DATA => TABLE(SELECT * FROM customers WHERE age < 30), THRESHOLD => 0.3) WHERE predicted_churned = 'yes';
SELECT id, predicted_churned FROM ML.PREDICT(MODEL leavers, (SELECT * FROM customers WHERE id < 3), STRUCT(0.7 AS threshold)) ORDER BY id;
SELECT d.id, p.label, p.score
FROM PREDICT(MODEL = leavers, DATA = customers AS d, RUNTIME = ONNX) WITH (label NVARCHAR(10), score FLOAT) AS p
ORDER BY p.score DESC, d.id LIMIT 3;
EXPORT MODEL leavers INTO TABLE model_table;
CREATE OR REPLACE VIEW scored_by_bytes AS
SELECT d.id, p.score FROM PREDICT(MODEL = (SELECT model FROM model_table WHERE name = 'leavers'), DATA = customers AS d, RUNTIME = ONNX) WITH (score FLOAT) AS p;
SELECT id FROM scored_by_bytes ORDER BY score DESC, id LIMIT 3;

-- Which model, which version, which engine (see engines.md), and where the model does not use all features, how many:
-- EXPLAIN shows it.
-- A feature that meets only weights of 0, or that no tree looks at, is not read, and whatever stands in it (NULL, NaN, an
-- infinite number) changes no prediction.
-- Filters, limits, joins and literals: see query_plans.md.
EXPLAIN SELECT PREDICT(leavers, *) FROM customers;

DROP VIEW scored_by_bytes;
DROP TABLE model_table;
DROP VIEW scored_customers;
DROP MODEL leavers;
