-- DROP MODEL.
-- !include sql/data/customers.sql
TRAIN MODEL gone.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
TRAIN MODEL gone.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;

DROP MODEL gone.leavers VERSION 2;
SHOW MODELS LIKE 'gone*';
DROP MODEL gone.leavers VERSION 2;
DROP MODEL IF EXISTS gone.leavers VERSION 2;
DROP MODEL gone.leavers;
-- !keep There is no model \S+
DROP MODEL gone.leavers;
DROP MODEL IF EXISTS gone.leavers;
SHOW MODELS LIKE 'gone*';

-- After a model is gone, its versions start again.
TRAIN MODEL gone.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
DROP MODEL gone.leavers;

DROP MODEL;
DROP MODEL a, b;
