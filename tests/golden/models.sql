-- SHOW MODELS, DESCRIBE MODEL, DROP MODEL.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
TRAIN MODEL shop.leavers COMMENT 'Who leaves?' USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly, since, paperless)
  OPTIONS (max_depth = 3) AS SELECT * FROM customers;
TRAIN MODEL shop.leavers USING sklearn.logistic_regression TARGET churned FEATURES (age, plan) AS SELECT * FROM customers;
TRAIN MODEL shop_prices USING sklearn.linear_regression TARGET price FEATURES (area, city) AS SELECT * FROM houses;

SHOW MODELS LIKE 'shop*';
SHOW MODELS LIKE 'shop_*|nothing';
SHOW MODELS LIKE 'nothing*';
show models like '*LEAVERS';

DESCRIBE MODEL shop.leavers;
DESC MODEL Shop.Leavers VERSION 1;
DESCRIBE MODEL 'shop.leavers/2';
-- The digest, the run and the time are masked, the rest says how the version was made. Beeline drops the line ends
-- of a text.
-- !only pyspark spark-sql pyhive connect
DESCRIBE MODEL EXTENDED shop_prices;
DESCRIBE MODEL shop.leavers VERSION 3;
DESCRIBE MODEL shop.leavers ALIAS champion;
DESCRIBE MODEL shop.leaver;

-- Spark's own reading stays where there is nothing to describe.
CREATE OR REPLACE TEMPORARY VIEW model AS SELECT 1 AS a;
-- !only pyspark pyhive beeline connect
DESCRIBE model;
DROP VIEW model;

DROP MODEL shop.leavers VERSION 2;
SHOW MODELS LIKE 'shop*';
DROP MODEL shop.leavers VERSION 2;
DROP MODEL IF EXISTS shop.leavers VERSION 2;
DROP MODEL shop.leavers;
-- !keep There is no model \S+
DROP MODEL shop.leavers;
DROP MODEL IF EXISTS shop.leavers;
SHOW MODELS LIKE 'shop*';
DROP MODEL shop_prices;

-- After a model is gone, its versions start again.
TRAIN MODEL shop.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
DROP MODEL shop.leavers;

SHOW MODELS EVERYWHERE;
SHOW MODELS LIKE shop;
DESCRIBE MODEL shop.leavers VERSION 0;
DROP MODEL;
DROP MODEL a, b;
