-- DESCRIBE MODEL
--
-- What one version of a model is: its aliases, what it predicts from what, what happens to a NULL in each feature, how
-- well it did on rows it was not trained on, its tags and the model's. EXTENDED adds how it was made, and of what.
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

-- The statement it was trained by, every hyperparameter, the comparison of library and graph, the digest, the run, the
-- versions of the software. Under "# Data": a fingerprint of the training rows, which is the same for the same rows in
-- whatever order, and each table, file or view that the query read, with its version where it has one (Delta, Iceberg),
-- or the number, size and digest of its files. The MLflow run has the same as its data set.
DESCRIBE MODEL EXTENDED leavers;

DROP MODEL leavers;
