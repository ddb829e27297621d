-- PREDICT
--
-- Returns the model's prediction for each row: the label in the type of the target, or a DOUBLE. It is an ordinary
-- expression, which works wherever an expression is allowed.
--
--   PREDICT(model, *)                    takes all columns in scope by name, and ignores columns that are not features
--   PREDICT(model, a, b, c)              takes the columns by name if all have names of features, otherwise by position
--   PREDICT(model, age => a, plan => p)  takes expressions by name; each name must be a feature
--
-- The model is a bare name (the newest version) or a string: 'churn', 'churn/3' (version 3), 'churn@champion' (an
-- alias). ML_PREDICT is the same function. PREDICT(MODEL m, a) and PREDICT(MODEL m, TABLE a) are the same as PREDICT(m,
-- a), because tools that parse SQL before they send it write it in this way.
--
-- In FROM, PREDICT is a table with the columns of the input and the outputs of the model (see predict_outputs.sql):
--
--   PREDICT(model, TABLE(t)) | PREDICT(model, TABLE(SELECT …))
--   PREDICT(MODEL => model, DATA => TABLE(t) [, THRESHOLD => 0.7] [, KEEP_ORIGINAL_COLUMNS => false])
--   ML.PREDICT(MODEL model, TABLE t | (SELECT …) [, STRUCT(0.7 AS threshold)])                       as BigQuery
--   PREDICT(MODEL = model, DATA = t AS d [, RUNTIME = ONNX]) WITH (column type, …) AS p              as SQL Server and Synapse
--
-- The last form has the columns of the input as d.*, and the outputs as p.*. Each output is converted to its type:
-- FLOAT is DOUBLE, REAL is FLOAT, BIT is BOOLEAN, TINYINT is SMALLINT, NVARCHAR(n) and similar types are STRING without
-- a limit, DATETIME2 is TIMESTAMP, and MONEY is DECIMAL(19,4). Spark's own types work too. The model is a name, a
-- string, @variable (see declare.sql), a literal 0x…, or a scalar subquery that returns an ONNX graph as BINARY or in
-- hexadecimal. The subquery runs when the statement is analysed, and it cannot use columns of the query around it. Such
-- a graph must pass the checks of IMPORT MODEL once, and it is not registered. A user who may PREDICT with a registered
-- version may also score with its bytes. Any other graph needs the permission to import a model called onnx.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;

SELECT id, PREDICT(leavers, *) AS will_leave FROM customers ORDER BY id LIMIT 5;
SELECT id, PREDICT(leavers, monthly, age, plan) AS will_leave FROM customers ORDER BY id LIMIT 5;
SELECT PREDICT(leavers, 30, 'basic', 25.5) AS by_position, PREDICT(leavers, plan => 'basic', age => 30, monthly => 25.5) AS by_name;

-- A version; a column with the same name as the model does not matter.
SELECT PREDICT('leavers/1', age, plan, monthly) AS will_leave FROM (SELECT *, 1 AS leavers FROM customers) LIMIT 1;

-- Other spellings of the call.
SELECT ML_PREDICT(leavers, *) AS a, PREDICT(MODEL leavers, age, plan, monthly) AS b, PREDICT(MODEL leavers, TABLE age, plan, monthly) AS c
FROM customers LIMIT 1;

-- The model imputes NULL, and a category that was not in the training data counts as unknown. Neither is an error.
SELECT PREDICT(leavers, NULL, 'gold', 25) AS will_leave;

-- Strings are compared by the type that the feature had in training, whatever the type of the argument: trailing blanks
-- of CHAR(n) do not count, and the collation UTF8_LCASE makes 'Pro' and 'pro' equal. DATE, TIMESTAMP and TIMESTAMP_NTZ
-- convert to each other as by CAST, in the time zone of the session (spark.sql.session.timeZone). For a DATE feature,
-- cast a timestamp explicitly. Labels of a CHAR(n) target have no trailing blanks, and labels of a target with a
-- collation have it.
TRAIN MODEL pays USING decision_tree TARGET monthly FEATURES (plan) AS SELECT plan COLLATE UTF8_LCASE AS plan, monthly FROM customers;
SELECT PREDICT(pays, 'BASIC') = PREDICT(pays, 'basic') AS the_same, PREDICT(pays, 'basic ') = PREDICT(pays, 'basic') AS others;
DROP MODEL pays;

-- PREDICT works in filters, groups, joins, views, tables and pipes.
SELECT count(*) AS at_risk FROM customers WHERE PREDICT(leavers, *) = 'yes';
SELECT plan, count_if(PREDICT(leavers, *) = 'yes') AS at_risk FROM customers GROUP BY plan ORDER BY plan;
CREATE OR REPLACE VIEW scored_customers AS SELECT *, PREDICT(leavers, *) AS will_leave FROM customers;
SELECT will_leave, round(avg(monthly), 2) AS pays FROM scored_customers GROUP BY will_leave ORDER BY will_leave;
FROM customers |> EXTEND PREDICT(leavers, *) AS will_leave |> WHERE will_leave = 'yes' |> AGGREGATE count(*) AS at_risk;

-- CASE, IF, COALESCE, AND, OR and FILTER guard PREDICT like any expression: arguments that can fail are computed only
-- for the rows of the branch.
SELECT count(CASE WHEN id <> 3 THEN PREDICT(leavers, age, plan, monthly / (id - 3)) END) AS scored FROM customers;

-- PREDICT as a table.
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

-- EXPLAIN shows the model, the version, the engine (see engines.md), and the number of features that the model uses if
-- it does not use all. A feature whose weights are all 0, or that no split of a tree tests, is not read. Its values
-- (NULL, NaN, infinity) do not change a prediction. query_plans.md describes filters, limits, joins and literals.
EXPLAIN SELECT PREDICT(leavers, *) FROM customers;

DROP VIEW scored_by_bytes;
DROP TABLE model_table;
DROP VIEW scored_customers;
DROP MODEL leavers;
