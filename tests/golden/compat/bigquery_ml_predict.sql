-- ML.PREDICT in the forms of "The ML.PREDICT function",
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-predict. The statements are our own.
-- !include sql/data/customers.sql
CREATE OR REPLACE MODEL `shop.leaving` OPTIONS (model_type = 'logistic_reg', input_label_cols = ['churned'], data_split_method = 'no_split')
AS SELECT age, monthly, churned FROM customers;
CREATE OR REPLACE TEMPORARY VIEW some AS SELECT id, age, monthly FROM customers WHERE id < 3;

-- "Predict an outcome": a query.
SELECT id, predicted_churned FROM ML.PREDICT(MODEL `shop.leaving`, (SELECT id, age, monthly FROM some)) ORDER BY id;
-- "Syntax": a table.
SELECT id, predicted_churned FROM ML.PREDICT(MODEL shop.leaving, TABLE some) ORDER BY id;
SELECT id, predicted_churned FROM ML.PREDICT(MODEL `shop`.`leaving`, TABLE `some`) ORDER BY id;
-- "Predict an outcome with a custom threshold".
SELECT predicted_churned, count(*) AS rows FROM ML.PREDICT(MODEL `shop.leaving`, TABLE customers, STRUCT(0.999999 AS threshold)) GROUP BY predicted_churned;
SELECT predicted_churned, count(*) AS rows FROM ML.PREDICT(MODEL `shop.leaving`, (SELECT * FROM customers), STRUCT(0.000001 AS threshold)) GROUP BY ALL;
-- "Output": the probabilities of both labels.
SELECT id, p.label, p.prob BETWEEN 0 AND 1 AS within
FROM ML.PREDICT(MODEL `shop.leaving`, TABLE some) LATERAL VIEW explode(predicted_churned_probs) AS p ORDER BY id, p.label;
-- "Arguments": keep_original_columns.
SELECT count(*) AS rows FROM (SELECT DISTINCT predicted_churned FROM ML.PREDICT(MODEL `shop.leaving`, TABLE customers, STRUCT(0.000001 AS threshold, FALSE AS keep_original_columns)));
SELECT * FROM ML.PREDICT(MODEL `shop.leaving`, TABLE some, STRUCT(TRUE AS keep_original_columns)) WHERE false;
-- Two of them, one over the other, and a WITH clause.
WITH scored AS (SELECT * EXCEPT (predicted_churned_probs) FROM ML.PREDICT(MODEL `shop.leaving`, TABLE some))
SELECT s.id, s.predicted_churned = p.predicted_churned AS same FROM scored AS s JOIN ML.PREDICT(MODEL `shop.leaving`, TABLE some) AS p ON s.id = p.id ORDER BY s.id;
-- In a view.
CREATE OR REPLACE VIEW bq_scored AS SELECT id, predicted_churned FROM ML.PREDICT(MODEL `shop.leaving`, (SELECT * FROM customers WHERE id < 3));
SELECT * FROM bq_scored ORDER BY id;

SELECT * FROM ML.PREDICT(MODEL `shop.leavin`, TABLE some);
SELECT * FROM ML.PREDICT(MODEL `shop.leaving`, TABLE some, STRUCT(0.7 AS treshold));
SELECT * FROM ML.PREDICT(MODEL `shop.leaving`, TABLE some, STRUCT(1 AS trial_id));
SELECT * FROM ML.PREDICT(MODEL `shop.leaving`);
DROP VIEW bq_scored;
DROP MODEL shop.leaving;
