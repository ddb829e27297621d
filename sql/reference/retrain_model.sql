-- RETRAIN MODEL
--
-- Runs the statement that trained the newest version of a model again, on the current data, and adds a version.
--
--   RETRAIN MODEL name [AS query]
--
-- The tables and views of the stored query must exist. With AS query it trains on other rows.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 3)
AS SELECT * FROM customers WHERE id < 40;

-- The same statement on the same rows gives the same model as version 2.
RETRAIN MODEL leavers;

-- The same statement on other rows.
RETRAIN MODEL leavers AS SELECT * FROM customers;

DROP MODEL leavers;
