-- RETRAIN MODEL
--
-- Runs the statement that trained the newest version of a model again, on the data as it is now, and adds a version.
--
--   RETRAIN MODEL name [AS query]
--
-- The tables and views that the stored query names must be there. AS query takes other rows instead.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 3)
AS SELECT * FROM customers WHERE id < 40;

-- The same statement on the same rows: version 2 is the same model.
RETRAIN MODEL leavers;

-- The same statement on other rows.
RETRAIN MODEL leavers AS SELECT * FROM customers;

DROP MODEL leavers;
