-- How PREDICT refuses arguments: before any task runs, with what would work.
-- !include sql/data/customers.sql
TRAIN MODEL bound USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly, since, paperless) OPTIONS (max_depth = 3)
AS SELECT * FROM customers;

-- Unknown models, versions, aliases.
SELECT PREDICT(bond, *) FROM customers;
SELECT id,
  PREDICT('bound/7', *)
FROM customers;
SELECT PREDICT('bound@champion', *) FROM customers;
SELECT PREDICT('bound/', *) FROM customers;
SELECT PREDICT('', *) FROM customers;
SELECT PREDICT(1, age) FROM customers;
SELECT PREDICT(plan || 'x', age) FROM customers;

SELECT PREDICT('bound/1', *), 'é', PREDICT(bond, *)
FROM customers;

-- Counts, names, mixtures.
SELECT PREDICT(bound, age, plan) FROM customers;
SELECT PREDICT(bound, 1, 2, 3) FROM customers;
SELECT PREDICT(bound) FROM customers;
SELECT PREDICT() FROM customers;
SELECT PREDICT(bound, age => age, plan => plan, monthly => monthly, since => since) FROM customers;
SELECT PREDICT(bound, * EXCEPT (age, plan)) FROM customers;
SELECT PREDICT(bound, age => age, plan, monthly, since, paperless) FROM customers;
SELECT PREDICT(bound, plan, age + 1, monthly, since, paperless) FROM customers;
SELECT PREDICT(bound, a.*, b.*) FROM customers a JOIN customers b ON a.id = b.id;
SELECT PREDICT(bound, *) FROM (SELECT age, plan, monthly, since, paperless AS paperles FROM customers);
SELECT PREDICT(bound, age => age, plan => plan, monthly => monthly, since => since, paperless => true, nope => 3) FROM customers;
SELECT PREDICT(bound, age => age, plan => plan, monthly => monthly, since => since, paperles => true) FROM customers;
SELECT * FROM PREDICT('bound', customers);
SELECT * FROM PREDICT(bound, customers);

-- Types: a string is not a number, and a number is not a string; the error comes before anything runs.
SELECT PREDICT(bound, age => plan, plan => plan, monthly => monthly, since => since, paperless => paperless) FROM customers;
SELECT PREDICT(bound, 30, 1, 20.0, since, true) FROM customers;
SELECT PREDICT(bound, 30, 'basic', 20.0, 'yesterday', true) FROM customers;
SELECT PREDICT(bound, array(30), 'basic', 20.0, since, true) FROM customers;
SELECT PREDICT(bound, age, plan, monthly, since, paperless) FROM customers WHERE nothing = 1;
SELECT PREDICT(bound, age, plan, monthly, sinc, paperless) FROM customers;

-- A view whose model is gone says so when it is read, and Spark's own errors stay Spark's.
CREATE OR REPLACE VIEW bound_view AS SELECT id, PREDICT(bound, *) AS label FROM customers;
DROP MODEL bound;
-- !keep There is no model \w+
SELECT * FROM bound_view;
-- !keep There is no model \w+
SELECT PREDICT(bound, *) FROM customers;
DROP VIEW bound_view;
SELECT PREDICT(bound, FROM customers;
