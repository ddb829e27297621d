-- The common options with MLlib's estimators: the same words, the same meaning.
-- !file-only pyspark
-- !include sql/data/customers.sql
CREATE OR REPLACE VIEW marked AS SELECT *, id % 4 = 0 AS test, CAST(id % 3 AS DOUBLE) AS weight FROM customers;
-- A boolean column says which rows are held out; weights of rows and of classes; gaps, what flags them, and texts.
TRAIN MODEL on_cluster USING mllib.decision_tree TARGET churned FEATURES (age, plan, monthly)
OPTIONS (split_column = 'test', weight_column = 'weight', class_weights = {'yes': 3}, impute = {'age': 'median', 'monthly': 50}, missing_flag = true, encode = {'plan': 'target'}, maxDepth = 3)
AS SELECT * FROM marked;
DESCRIBE MODEL on_cluster;
-- An order, whose last rows are held out; folds are refused, trials with candidates below.
TRAIN MODEL on_cluster USING mllib.logistic_regression TARGET churned FEATURES (age, plan) OPTIONS (split_column = since, test_fraction = 0.25, encode = 'ordinal', class_weights = 'balanced') AS SELECT * FROM marked;
TRAIN MODEL on_cluster USING mllib.decision_tree TARGET churned FEATURES (age, plan, monthly)
OPTIONS (maxDepth = hparam_candidates([1, 4]), cv_folds = 2, metric = 'accuracy') AS SELECT * FROM customers;
TRAIN MODEL on_cluster USING mllib.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (maxDepth = 2, cv_folds = 3) AS SELECT * FROM customers;
SELECT id, PREDICT('on_cluster/1', *) AS weighted, PREDICT('on_cluster/2', *) AS ordered, PREDICT('on_cluster/3', *) AS tuned FROM customers WHERE id < 4 ORDER BY id;
-- How long customers stay: those who have not left yet are counted with what is known of them.
TRAIN MODEL on_cluster USING aft_survival_regression TARGET months FEATURES (age, monthly)
OPTIONS (censor_column = 'left', maxIter = 20) AS SELECT *, 1 + id % 7 AS months, churned = 'yes' AS left FROM customers;
SELECT id, round(PREDICT(on_cluster, *), 3) AS months FROM customers WHERE id < 3 ORDER BY id;

-- What goes wrong.
TRAIN MODEL on_cluster USING aft_survival_regression TARGET monthly FEATURES (age) OPTIONS (censor_column = 'weight') AS SELECT * FROM marked;
TRAIN MODEL on_cluster USING mllib.neural_network TARGET churned FEATURES (age, plan) OPTIONS (class_weights = 'balanced') AS SELECT * FROM marked;
TRAIN MODEL on_cluster USING mllib.factorization_machines TARGET churned FEATURES (age, plan) OPTIONS (weight_column = 'weight') AS SELECT * FROM marked;
TRAIN MODEL on_cluster USING mllib.decision_tree TARGET churned FEATURES (age) OPTIONS (class_weights = {'maybe': 2}) AS SELECT * FROM marked;
TRAIN MODEL on_cluster USING mllib.decision_tree TARGET churned FEATURES (age) OPTIONS (maxDepth = hparam_range(1, 3), split_column = 'since') AS SELECT * FROM marked;
TRAIN MODEL on_cluster USING mllib.decision_tree TARGET churned FEATURES (age, plan) OPTIONS (maxDepth = hparam_candidates([1, 2]), num_trials = 2, metric = 'rmse') AS SELECT * FROM customers;
DROP MODEL on_cluster;
DROP VIEW marked;
