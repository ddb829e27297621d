-- What Spark is told of a model that it would not know: joins that bring nothing, and how often and of what rows it is asked.
-- !include sql/data/customers.sql
CREATE TABLE plans USING parquet TBLPROPERTIES ('sqlml.unique_keys' = 'name; id') AS SELECT * FROM VALUES (1, 'basic', 1.5D), (2, 'gold', 9D) AS t(id, name, price);
TRAIN MODEL cheap USING sklearn.decision_tree TARGET churned FEATURES (age, monthly, price) OPTIONS (max_depth = 2)
AS SELECT age, monthly, 1D AS price, churned FROM customers;
CREATE TEMPORARY VIEW asked AS SELECT c.id, PREDICT(cheap, age, monthly, price) AS leaves FROM customers c LEFT JOIN plans p ON p.name = c.plan;
CREATE TABLE stored USING parquet AS SELECT * FROM customers;
SET spark.sqlml.engine = compiled;
-- !keep predict\w*\[\S+ \w+[^]]*\]|\w*Join
EXPLAIN SELECT c.id, PREDICT(cheap, age, monthly, price) FROM customers c LEFT JOIN plans p ON p.name = c.plan;
-- !keep \w*Join
EXPLAIN SELECT id, leaves FROM asked WHERE id < 9;
SELECT count(*), count(leaves) FROM asked;
-- Only a declared key is a key.
ALTER TABLE plans UNSET TBLPROPERTIES ('sqlml.unique_keys');
-- !keep \w*Join
EXPLAIN SELECT c.id, PREDICT(cheap, age, monthly, price) FROM customers c LEFT JOIN plans p ON p.name = c.plan;
-- The first by another column are found before any is scored.
-- !keep TakeOrderedAndProject|predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT id, PREDICT(cheap, age, monthly, 1) AS leaves FROM customers ORDER BY since LIMIT 3;
-- A filter and a literal make a model smaller, and what it then does not look at is not read.
TRAIN MODEL paying USING sklearn.gradient_boosting TARGET monthly FEATURES (age, plan, churned) OPTIONS (n_estimators = 9) AS SELECT * FROM customers;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(paying, *) FROM stored;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(paying, *) FROM stored WHERE plan = 'basic' AND age BETWEEN 20 AND 40;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(paying, age => age, plan => 'basic', churned => NULL) FROM stored;
SELECT count(*) FROM stored WHERE plan = 'basic' AND age BETWEEN 20 AND 40 AND PREDICT(paying, *) <> PREDICT(paying, plan => 'basic', age => age, churned => churned);
-- And so do the files of a table, where they are asked and have fewer kinds of rows than the training set.
CREATE TABLE young USING parquet AS SELECT /*+ COALESCE(1) */ * FROM customers WHERE age < 30 AND NOT churned;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(paying, *) FROM young;
SET spark.sqlml.fileStatistics.maxFiles = 16;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(paying, *) FROM young;
RESET spark.sqlml.fileStatistics.maxFiles;
RESET spark.sqlml.engine;
DROP TABLE young;
DROP VIEW asked;
DROP TABLE plans;
DROP TABLE stored;
DROP MODEL paying;
DROP MODEL cheap;
