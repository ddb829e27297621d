-- CREATE MODEL is TRAIN MODEL, for tools that let only CREATE through.
-- !include sql/data/customers.sql
CREATE MODEL created USING sklearn.decision_tree TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;
CREATE OR REPLACE MODEL created USING sklearn.decision_tree TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;
CREATE MODEL IF NOT EXISTS created USING sklearn.decision_tree TARGET churned AS SELECT * FROM customers;
DROP MODEL created VERSION 1;
SELECT id, PREDICT(created, age, monthly) AS churns FROM customers WHERE id IN (0, 1, 59) ORDER BY id;
DROP MODEL created;

-- Spark's own CREATE statements are left alone.
CREATE OR REPLACE TEMPORARY VIEW model AS SELECT 1 AS model;
SELECT * FROM model;
DROP VIEW model;
CREATE MODEL;
CREATE MODEL created AS SELECT 1 AS a;
CREATE OR REPLACE MODEL IF NOT EXISTS created TARGET a AS SELECT 1 AS a;
