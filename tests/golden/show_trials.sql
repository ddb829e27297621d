-- SHOW TRIALS, and USING auto, whose trials it shows.
-- !file-only pyspark
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING auto TARGET churned FEATURES (age, plan, monthly)
OPTIONS (num_trials = 4, time_budget = 300, cv_folds = 2, estimators = ['logistic_regression', 'gaussian_naive_bayes'], metric = 'log_loss')
AS SELECT * FROM customers;
SHOW TRIALS leavers;
DESCRIBE MODEL EXTENDED leavers;
SELECT PREDICT(leavers, NULL, NULL, NULL) IN ('yes', 'no') AS answered;

-- It searches again, and with a number of trials and the same seed it finds the same.
RETRAIN MODEL leavers;
SELECT count(*) AS differences FROM customers WHERE PREDICT('leavers/1', *) <> PREDICT('leavers/2', *);

-- A search for hyperparameters has trials too, and a training without a search none.
TRAIN MODEL leavers USING sklearn.decision_tree TARGET churned FEATURES (age, monthly)
OPTIONS (max_depth = hparam_candidates([2, -1])) AS SELECT * FROM customers;
SHOW TRIALS leavers VERSION 3;
TRAIN MODEL leavers USING sklearn.decision_tree TARGET churned FEATURES (age) AS SELECT * FROM customers;
show trials leavers;

-- BigQuery's spelling.
CREATE MODEL ages OPTIONS (model_type = 'AUTOML_REGRESSOR', input_label_cols = ['age'], budget_hours = 0.1, num_trials = 1,
  optimization_objective = 'MINIMIZE_MAE', estimators = ['ridge']) AS SELECT age, monthly FROM customers;

-- What goes wrong.
SHOW TRIALS leaverz;
SHOW TRIALS leavers VERSION 9;
SHOW TRIALS;
TRAIN MODEL wrong USING auto AS SELECT * FROM customers;
TRAIN MODEL wrong USING auto TARGET churned OPTIONS (max_depth = 3) AS SELECT * FROM customers;
TRAIN MODEL wrong USING auto TARGET churned OPTIONS (estimators = ['lightbgm']) AS SELECT * FROM customers;
TRAIN MODEL wrong USING auto TARGET churned OPTIONS (time_budget = 0) AS SELECT * FROM customers;
TRAIN MODEL wrong USING auto TARGET churned FEATURES (age) OPTIONS (metric = 'acuracy', estimators = ['ridge', 'gaussian_naive_bayes']) AS SELECT * FROM customers;
TRAIN MODEL wrong USING auto TARGET churned FEATURES (age) OPTIONS (metric = 'acuracy', estimators = ['gaussian_naive_bayes']) AS SELECT * FROM customers;
CREATE MODEL wrong OPTIONS (model_type = 'AUTOML_CLASSIFIER', input_label_cols = ['churned'], budget_hours = 'long') AS SELECT * FROM customers;
DROP MODEL leavers;
DROP MODEL ages;
