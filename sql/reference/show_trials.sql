-- SHOW TRIALS
--
-- Returns the trials of the search that a version came from: a search by USING auto, or over hparam_range or
-- hparam_candidates. Trials are ordered by score, the best first, and failed trials come last.
--
--   SHOW TRIALS name [VERSION n | ALIAS alias]
--
-- `best` marks the trial whose model was registered. `sample` is the number of rows that a trial was trained on, if
-- that was a sample.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING auto TARGET churned FEATURES (age, plan, monthly)
OPTIONS (num_trials = 4, estimators = ['lightgbm', 'logistic_regression'])
AS SELECT * FROM customers;

SHOW TRIALS leavers;

DROP MODEL leavers;
