-- DROP MODEL.
-- !include sql/data/customers.sql
TRAIN MODEL gone.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
TRAIN MODEL gone.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
-- A view that follows the model, and a function of one version: the warning names both.
-- !keep ^view
ENRICH TABLE customers WITH MODEL gone.leavers CREATE OR REPLACE VIEW gone_scored;
-- !keep ^function
ENRICH TABLE customers WITH MODEL gone.leavers VERSION 2 CREATE OR REPLACE FUNCTION gone_function;

DROP MODEL gone.leavers VERSION 2;
SHOW MODELS LIKE 'gone*';
DROP MODEL gone.leavers VERSION 2;
DROP MODEL IF EXISTS gone.leavers VERSION 2;
DROP MODEL gone.leavers;
-- !keep There is no model \S+
DROP MODEL gone.leavers;
DROP MODEL IF EXISTS gone.leavers;
DROP FUNCTION gone_function;
SHOW MODELS LIKE 'gone*';

-- After a model is gone, its versions start again.
TRAIN MODEL gone.leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
DROP MODEL gone.leavers;
DROP VIEW gone_scored;

DROP MODEL;
DROP MODEL a, b;
