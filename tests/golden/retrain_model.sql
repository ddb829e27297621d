-- RETRAIN MODEL: the stored statement again.
-- !include sql/data/customers.sql
CREATE OR REPLACE VIEW some_customers AS SELECT * FROM customers WHERE id < 30;
TRAIN MODEL again COMMENT 'first' USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 3, test_fraction = 0) TAGS ('team' = 'growth') AS
SELECT * FROM some_customers;
RETRAIN MODEL again;
CREATE OR REPLACE VIEW some_customers AS SELECT * FROM customers;
RETRAIN MODEL Again;
retrain model again AS SELECT * FROM customers WHERE id BETWEEN 10 AND 50;
SELECT PREDICT('again/1', age, plan, monthly) = PREDICT('again/2', age, plan, monthly) AS same FROM customers GROUP BY ALL;
DESCRIBE MODEL again VERSION 3;

-- What goes wrong.
RETRAIN MODEL agian;
RETRAIN MODEL again AS SELECT age FROM customers;
RETRAIN MODEL again AS SELEKT 1;
RETRAIN MODEL again AS SELECT * FROM customers
WHERE nothing > 1;
RETRAIN MODEL;
DROP VIEW some_customers;
RETRAIN MODEL again;
DROP MODEL again;
