-- Hyperparameters that are searched for, and cross-validation.
-- !file-only pyspark
-- !include sql/data/customers.sql
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly)
OPTIONS (max_depth = hparam_range(1, 8), criterion = hparam_candidates(['gini', 'entropy']), num_trials = 6, cv_folds = 3, metric = 'accuracy')
AS SELECT * FROM customers;
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly)
OPTIONS (max_depth = hparam_range(1, 8), criterion = hparam_candidates(['gini', 'entropy']), num_trials = 6, cv_folds = 3, metric = 'accuracy')
AS SELECT * FROM customers;
SELECT count(*) AS differences FROM customers WHERE PREDICT('tuned/1', *) <> PREDICT('tuned/2', *);
TRAIN MODEL tuned USING lightgbm TARGET churned FEATURES (age, plan, monthly)
OPTIONS (num_leaves = hparam_candidates([3, 7]), min_child_samples = 5, n_estimators = 10) AS SELECT * FROM customers;
TRAIN MODEL tuned USING xgboost TARGET churned FEATURES (age, plan, monthly) OPTIONS (n_estimators = 10, cv_folds = 3) AS SELECT * FROM customers;
SELECT id, PREDICT('tuned/3', *) AS lightgbm, PREDICT('tuned/4', *) AS xgboost FROM customers WHERE id < 6 ORDER BY id;
SELECT PREDICT('tuned/3', NULL, NULL, NULL) IN ('yes', 'no') AS lightgbm, PREDICT('tuned/4', NULL, 'never', NULL) IN ('yes', 'no') AS xgboost;

-- What goes wrong.
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned OPTIONS (num_trials = 5) AS SELECT * FROM customers;
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned OPTIONS (max_depth = hparam_range(5)) AS SELECT * FROM customers;
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned OPTIONS (max_depth = hparam_ranges(1, 5)) AS SELECT * FROM customers;
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned OPTIONS (max_depth = hparam_range(1, 5), metric = 'acuracy') AS SELECT * FROM customers;
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned OPTIONS (max_depth = hparam_candidates([-1, -2])) AS SELECT * FROM customers;
TRAIN MODEL tuned USING sklearn.decision_tree TARGET churned OPTIONS (max_depth = hparam_range(1, 5), time_budget = 0) AS SELECT * FROM customers;
TRAIN MODEL tuned USING xgboost TARGET churned OPTIONS (booster = 'dart') AS SELECT * FROM customers;
DROP MODEL tuned;
