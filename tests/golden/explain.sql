-- EXPLAIN runs nothing, and shows which model, which version and which engine will score.
-- !include sql/data/customers.sql
-- !keep TrainModel explained
EXPLAIN TRAIN MODEL explained USING sklearn.decision_tree TARGET churned AS SELECT * FROM customers;
SHOW MODELS LIKE 'explained*';
TRAIN MODEL explained USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 2) AS SELECT * FROM customers;
TRAIN MODEL explained USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 2) AS SELECT * FROM customers;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(explained, age, plan, monthly) FROM customers;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT_PROBA('explained/1', *)['yes'] FROM customers;
-- !keep ShowModels|DescribeModel explained/2|DropModel explained
EXPLAIN SHOW MODELS;
-- !keep ShowModels|DescribeModel explained/2|DropModel explained
EXPLAIN DESCRIBE MODEL explained VERSION 2;
-- !keep ShowModels|DescribeModel explained/2|DropModel explained
EXPLAIN DROP MODEL explained;
SHOW MODELS LIKE 'explained';
-- One version a query, in every part of it, and one engine, whichever was asked for.
SET spark.sqlml.engine = onnxruntime;
-- !keep predict\w*\[\S+ \w+[^]]*\]
EXPLAIN SELECT PREDICT(explained, *), (SELECT max(PREDICT(explained, *)) FROM customers) FROM customers WHERE PREDICT(explained, *) = 'yes';
RESET spark.sqlml.engine;
DROP MODEL explained;
-- Errors are found while explaining, too.
-- !keep \[SQLML_MODEL_NOT_FOUND\] There is no model \w+|\(line 1, pos \d+\)|EXPLAIN SELECT.*
EXPLAIN SELECT PREDICT(explained, *) FROM customers;
EXPLAIN TRAIN MODEL explained USING AS SELECT 1;
