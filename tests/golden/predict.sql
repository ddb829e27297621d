-- PREDICT: every way to name the model, every way to give the features.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
-- Version 2 has learned the opposite of version 1, so that a wrong version cannot hide.
TRAIN MODEL churn USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (test_fraction = 0)
AS SELECT * FROM customers;
TRAIN MODEL churn USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (test_fraction = 0)
AS SELECT age, plan, monthly, IF(churned = 'yes', 'no', 'yes') AS churned FROM customers;
TRAIN MODEL sales.price USING sklearn.linear_regression TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;
CREATE OR REPLACE TEMPORARY VIEW some AS SELECT * FROM customers WHERE id IN (0, 1, 5, 7, 59);

-- The model: a bare name, a string, a version.
SELECT id, churned, PREDICT(churn, age, plan, monthly) AS newest, PREDICT('churn', age, plan, monthly) AS text,
  PREDICT('churn/1', age, plan, monthly) AS first, PREDICT('churn/2', age, plan, monthly) AS second,
  PREDICT(CHURN, age, plan, monthly) AS upper, PREDICT(`churn`, age, plan, monthly) AS quoted
FROM some ORDER BY id;

-- The spellings that tools rewrite a call to.
SELECT id, ML_PREDICT(churn, age, plan, monthly) AS a, ml_predict('churn/1', age, plan, monthly) AS b,
  PREDICT(MODEL churn, age, plan, monthly) AS c, PREDICT(MODEL churn, TABLE age, plan, monthly) AS d,
  PREDICT(MODEL 'churn/1', age, plan, monthly) AS e, predict ( /* the newest */ churn , age, plan, monthly ) AS f
FROM some ORDER BY id;

-- The features: all columns, one table's columns, by name in any order, by position, by name from expressions.
SELECT id, PREDICT(churn, *) AS star, PREDICT(churn, s.*) AS table_star, PREDICT(churn, monthly, age, plan) AS any_order,
  PREDICT(churn, s.plan, s.monthly, s.age) AS qualified, PREDICT(churn, AGE, Plan, `monthly`) AS any_case,
  PREDICT(churn, age + 0, plan, monthly * 1) AS by_position, PREDICT(churn, plan => plan, monthly => monthly, age => age) AS by_name
FROM some s ORDER BY id;
SELECT PREDICT(churn, age => 20, plan => 'basic', monthly => 30.0D) AS young, PREDICT(churn, 60, 'plus', 30) AS old,
  PREDICT('churn/1', age => NULL, plan => NULL, monthly => 30) AS unknown;
SELECT id, PREDICT(churn, x, y, z) AS other_names FROM (SELECT id, age AS x, plan AS y, monthly AS z FROM some) ORDER BY id;
SELECT id, PREDICT(churn, * EXCEPT (since, paperless)) AS star_except FROM some ORDER BY id;

-- A bare first argument is the model, even where a column has that name.
SELECT churn, PREDICT(churn, age, plan, monthly) AS label FROM (SELECT id, age, plan, monthly, 'a column' AS churn FROM some) ORDER BY id;

-- A name with a dot, and a regression; numbers of any type convert.
SELECT id, round(PREDICT(sales.price, *), 2) AS dotted, round(PREDICT('sales.price/1', area, rooms, city), 2) AS text, price FROM houses WHERE id < 3 ORDER BY id;
SELECT round(PREDICT(sales.price, 100, 3, 'Oslo'), 2) AS ints, round(PREDICT(sales.price, CAST(100 AS DECIMAL(38, 10)), 3.0F, 'Oslo'), 2) AS others,
  round(PREDICT(sales.price, 100S, 3Y, CAST('Oslo' AS VARCHAR(10))), 2) AS small;

-- A category that training never saw, a NULL, and no rows at all.
SELECT PREDICT('churn/1', 30, 'gold', 30) AS unseen, PREDICT('churn/1', 30, NULL, 30) AS missing, round(PREDICT(sales.price, NULL, NULL, NULL), 2) AS nothing;
SELECT PREDICT(churn, *) AS label FROM some WHERE id < 0;

-- The result has the target's own type, and the name of the call.
SELECT PREDICT(churn, age, plan, monthly), PREDICT(sales.price, 100, 3, 'Oslo') IS NOT NULL FROM some WHERE id = 1;
SELECT PREDICT(churn, age => 20, plan => 'basic', monthly => 30), PREDICT(churn, age => 60, plan => 'plus', monthly => 30), PREDICT(churn, *) FROM some WHERE id = 1;

DROP MODEL churn;
DROP MODEL sales.price;
