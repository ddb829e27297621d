-- DESCRIBE MODEL
--
-- Describes one version of a model: its aliases, its target and features, how a NULL in each feature is handled, its
-- metrics on held-out rows, and the tags of the version and the model. EXTENDED adds how and from which data it was
-- trained.
--
--   {DESCRIBE | DESC} MODEL [EXTENDED] name [VERSION n | ALIAS alias]
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, plan, since) AS SELECT * FROM customers;
TRAIN MODEL leavers USING decision_tree TARGET churned FEATURES (age, plan) AS SELECT * FROM customers;

-- The newest version.
DESCRIBE MODEL leavers;

-- One version, in two spellings. The string is the same as in PREDICT.
DESCRIBE MODEL leavers VERSION 1;
DESC MODEL 'leavers/1';

-- EXTENDED shows the statement that trained the version, every hyperparameter, the comparison of library and graph, the
-- digest, the MLflow run and the software versions. The section "# Data" shows a fingerprint of the training rows,
-- which does not depend on their order, and each table, file or view that the query read, with its version if it has
-- one (Delta, Iceberg), or the number, size and digest of its files. The MLflow run shows the same as its data set.
DESCRIBE MODEL EXTENDED leavers;

DROP MODEL leavers;
