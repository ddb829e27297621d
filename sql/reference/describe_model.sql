-- DESCRIBE MODEL
--
-- What one version of a model is: what it predicts from what, what happens to a NULL in each feature, and how well it
-- did on rows it was not trained on. EXTENDED adds how it was made.
--
--   {DESCRIBE | DESC} MODEL [EXTENDED] name [VERSION n | ALIAS alias]
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, plan, since) AS SELECT * FROM customers;
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, plan) AS SELECT * FROM customers;

-- The newest version.
DESCRIBE MODEL leavers;

-- One version; a text says the same as functions take it.
DESCRIBE MODEL leavers VERSION 1;
DESC MODEL 'leavers/1';

-- The statement it was trained by, every hyperparameter, the comparison of library and graph, the digest, the run.
DESCRIBE MODEL EXTENDED leavers;

DROP MODEL leavers;
