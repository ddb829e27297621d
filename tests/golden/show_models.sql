-- SHOW MODELS.
-- !include sql/data/customers.sql
TRAIN MODEL shop.leavers COMMENT 'Who leaves?' USING sklearn.decision_tree TARGET churned FEATURES (age, plan) AS SELECT * FROM customers;
TRAIN MODEL shop.leavers USING sklearn.logistic_regression TARGET churned FEATURES (age, plan) AS SELECT * FROM customers;
TRAIN MODEL shop_ages USING sklearn.linear_regression TARGET age FEATURES (plan, paperless) AS SELECT * FROM customers;

SHOW MODELS LIKE 'shop*';
SHOW MODELS LIKE 'shop_*|nothing';
SHOW MODELS LIKE 'nothing*';
show models like '*LEAVERS';

DROP MODEL shop.leavers VERSION 2;
SHOW MODELS LIKE 'shop*';
DROP MODEL shop.leavers;
DROP MODEL shop_ages;
SHOW MODELS LIKE 'shop*';

SHOW MODELS EVERYWHERE;
SHOW MODELS LIKE shop;
