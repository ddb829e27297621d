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

-- Anywhere: filters, groups, joins, views, tables, pipes.
SELECT count(*) AS at_risk FROM customers WHERE PREDICT(leavers, *) = 'yes';
SELECT plan, count_if(PREDICT(leavers, *) = 'yes') AS at_risk FROM customers GROUP BY plan ORDER BY plan;
CREATE OR REPLACE VIEW scored_customers AS SELECT *, PREDICT(leavers, *) AS will_leave FROM customers;
SELECT will_leave, round(avg(monthly), 2) AS pays FROM scored_customers GROUP BY will_leave ORDER BY will_leave;
FROM customers |> EXTEND PREDICT(leavers, *) AS will_leave |> WHERE will_leave = 'yes' |> AGGREGATE count(*) AS at_risk;

-- Which model, which version, which engine: EXPLAIN shows it.
EXPLAIN SELECT PREDICT(leavers, *) FROM customers;

DROP VIEW scored_customers;
DROP MODEL leavers;
