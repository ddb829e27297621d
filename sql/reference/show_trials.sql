-- SHOW TRIALS
--
-- Every try of the search that a version came from: by USING auto, or for hyperparameters given as hparam_range or
-- hparam_candidates. The best score comes first, trials that failed last.
--
--   SHOW TRIALS name [VERSION n | ALIAS alias]
--
-- `best` is the trial whose model was registered; `sample` how many rows it learned from, where that was a sample.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING auto TARGET churned FEATURES (age, plan, monthly)
OPTIONS (num_trials = 4, estimators = ['lightgbm', 'logistic_regression'])
AS SELECT * FROM customers;

SHOW TRIALS leavers;

DROP MODEL leavers;
