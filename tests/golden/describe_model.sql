-- DESCRIBE MODEL.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
TRAIN MODEL told.leavers COMMENT 'Who leaves?' USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly, since, paperless)
  OPTIONS (max_depth = 3) AS SELECT * FROM customers;
TRAIN MODEL told.leavers USING sklearn.logistic_regression TARGET churned FEATURES (age, plan) AS SELECT * FROM customers;
TRAIN MODEL told_prices USING sklearn.linear_regression TARGET price FEATURES (area, city) AS SELECT * FROM houses;

DESCRIBE MODEL told.leavers;
DESC MODEL Told.Leavers VERSION 1;
DESCRIBE MODEL 'told.leavers/2';
-- The digest, the run and the time are masked, the rest says how the version was made. Beeline drops the line ends
-- of a text.
-- !only pyspark spark-sql pyhive connect
DESCRIBE MODEL EXTENDED told_prices;
DESCRIBE MODEL told.leavers VERSION 3;
DESCRIBE MODEL told.leavers ALIAS champion;
DESCRIBE MODEL told.leaver;
DESCRIBE MODEL told.leavers VERSION 0;

-- Spark's own reading stays where there is nothing to describe.
CREATE OR REPLACE TEMPORARY VIEW model AS SELECT 1 AS a;
-- !only pyspark pyhive beeline connect
DESCRIBE model;
DROP VIEW model;

DROP MODEL told.leavers;
DROP MODEL told_prices;
