-- TRAIN MODEL
--
-- Fits an estimator to the rows of a query and registers the result as a new version of a model. Nothing is registered
-- unless everything succeeded: the fit, the conversion to ONNX, and the proof that both give the same answers.
--
--   TRAIN MODEL [IF NOT EXISTS] name
--     [COMMENT 'text']
--     [USING [library.]estimator]
--     [TARGET column]
--     [FEATURES ( column, … ) | FEATURES * EXCEPT ( column, … )]
--     [TRANSFORM ( select_list )]
--     [OPTIONS ( key = value, … )]
--     [TAGS ( 'key' = 'value', … )]
--   AS query
--
-- CREATE [OR REPLACE] MODEL [IF NOT EXISTS] … is the same statement in the spelling that every tool lets through.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql

-- The short form. Every column but the target is a feature, and is prepared by its type: missing numbers are
-- imputed where the estimator does not take them itself, texts become one column a category, dates become parts. The target is a text, so this is classification; without USING
-- the estimator is gradient boosting.
TRAIN MODEL leavers TARGET churned AS SELECT * FROM customers;

-- A text column in which nearly every row has another text, such as a name or a key, is left out; `warnings` says so.
-- Again under the same name: version 2. A version is never overwritten.
TRAIN MODEL leavers TARGET churned FEATURES * EXCEPT (id) AS SELECT * FROM customers;

-- The last column of the result, warnings, says what makes a model doubtful: an r2 below 0 on the held-out rows, a label
-- that only one row has. NULL says that there is nothing of the kind. DESCRIBE MODEL says it again.

-- IF NOT EXISTS: leavers exists, so nothing is trained and no row comes back.
TRAIN MODEL IF NOT EXISTS leavers TARGET churned AS SELECT * FROM customers;

-- Every clause once. Clauses may come in any order. FEATURES picks columns. OPTIONS holds what every estimator takes
-- (task, test_fraction, seed, tolerance), and hyperparameters under the library's own names. TAGS go to the registry.
TRAIN MODEL sales.leavers
  COMMENT 'Who leaves within a month'
  USING sklearn.random_forest
  TARGET churned
  FEATURES (age, plan, monthly)
  OPTIONS (task = 'classification', test_fraction = 0.25, seed = 7, tolerance = 1e-6, n_estimators = 20, max_depth = 4)
  TAGS ('team' = 'retention', 'ticket' = '1234')
AS SELECT * FROM customers;

-- A fraction as the target: regression. The query may be any query.
TRAIN MODEL prices USING linear_regression TARGET price AS
WITH north AS (SELECT * FROM houses WHERE city <> 'Bergen')
SELECT area, rooms, city, price FROM north WHERE area > 60;

-- An integer with up to 20 different values is a class; task says otherwise.
TRAIN MODEL rooms USING decision_tree TARGET rooms OPTIONS (task = 'regression') AS SELECT area, price, rooms FROM houses;

-- What the metrics are measured on: a boolean column says which rows are held out; any other column is an order, whose
-- last rows are held out. Such a column is no feature. Where nothing is held out (test_fraction = 0), the metrics say how
-- well the rows are known that were learned from: all of them on a cluster, on one machine 50,000 of more than that,
-- always the same ones and some of every class. DESCRIBE MODEL shows which.
TRAIN MODEL leavers TARGET churned FEATURES (age, plan, monthly) OPTIONS (split_column = 'since', test_fraction = 0.25)
AS SELECT * FROM customers;

-- What counts more in fitting, and a sample of the rows.
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly)
OPTIONS (class_weights = {'yes': 3, 'no': 1}, max_rows = 50) AS SELECT * FROM customers;

-- Missing numbers: trees, forests, extra trees, bagging, isolation forests and hist_gradient_boosting of scikit-learn,
-- LightGBM and XGBoost take them as they are and learn from it that a value is missing; for all others they count as the
-- mean. `impute` says what they count as for any estimator.
TRAIN MODEL leavers TARGET churned FEATURES (age, plan, monthly) OPTIONS (impute = {'age': 'median'}) AS SELECT * FROM customers;

-- What missing numbers count as, which features get one more column that says whether the value was missing (true for
-- all numbers; scikit-learn calls it add_indicator), and how texts become numbers; DESCRIBE MODEL shows what came of it.
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly)
OPTIONS (impute = {'age': 'median', 'monthly': 50}, missing_flag = ['age'], encode = {'plan': 'target'})
AS SELECT * FROM customers;

-- A search: ranges and candidates are tried, by cross-validation, and the best are fitted. Each trial is a run of MLflow
-- inside the training's own.
TRAIN MODEL leavers USING sklearn.random_forest TARGET churned FEATURES (age, plan, monthly)
OPTIONS (n_estimators = 20, max_depth = hparam_range(2, 8), criterion = hparam_candidates(['gini', 'entropy']),
         num_trials = 4, cv_folds = 3, metric = 'roc_auc') AS SELECT * FROM customers;

-- Other libraries, where they are installed. They take missing values and categories as they are.
TRAIN MODEL leavers USING lightgbm TARGET churned FEATURES (age, plan, monthly)
OPTIONS (n_estimators = 50, early_stopping_rounds = 5, monotone_constraints = {'monthly': 1}) AS SELECT * FROM customers;

-- The engine in front of the estimator: `sklearn` on the driver, `mllib` distributed on the cluster. Without it the
-- size of the query decides (spark.sqlml.train.maxRows).
TRAIN MODEL prices USING mllib.decision_tree TARGET price OPTIONS (maxDepth = 3) AS SELECT area, rooms, price FROM houses;

-- From one number, a curve that never falls (increasing = false: that never rises).
TRAIN MODEL prices USING isotonic_regression TARGET price FEATURES (area) AS SELECT * FROM houses;

-- From the rows within a radius, in units of the scaled features: by default so large that nine of ten training rows have
-- five others within it. A row without neighbours gets the most frequent label; a number is NaN then.
TRAIN MODEL prices USING radius_neighbors TARGET price OPTIONS (radius = 1.5, weights = 'distance')
AS SELECT area, rooms, price FROM houses;
SELECT id, nanvl(PREDICT(prices, *), NULL) AS price FROM houses;

-- How long something lasts, where some of it has not ended yet: censor_column is true where the end was observed.
TRAIN MODEL months USING aft_survival_regression TARGET months FEATURES (age, monthly) OPTIONS (censor_column = 'gone')
AS SELECT age, monthly, churned = 'yes' AS gone, months_between(DATE'2024-01-01', since) AS months FROM customers;

-- Without a target: PREDICT returns the number of the cluster, or whether a row is an anomaly.
TRAIN MODEL segments USING k_means OPTIONS (n_clusters = 3) AS SELECT age, monthly, plan FROM customers;
SELECT PREDICT(segments, *) AS segment, count(*) AS customers FROM customers GROUP BY segment;
TRAIN MODEL odd_houses USING isolation_forest AS SELECT area, rooms, city, price FROM houses;
SELECT * FROM houses WHERE PREDICT(odd_houses, *);

-- Coordinates along principal components, as a STRUCT.
TRAIN MODEL flat_houses USING pca OPTIONS (n_components = 2) AS SELECT area, rooms, price FROM houses;
SELECT id, PREDICT(flat_houses, *).component_1 FROM houses;

-- Several estimators as one.
TRAIN MODEL leavers USING stacking TARGET churned FEATURES (age, plan, monthly)
OPTIONS (estimators = ['logistic_regression', 'decision_tree'], final_estimator = 'logistic_regression')
AS SELECT * FROM customers;

-- Features made of the query's columns, in training and again wherever the model scores.
TRAIN MODEL leavers USING decision_tree TARGET churned
TRANSFORM (coalesce(age, 40) AS age, monthly / (age + 1) AS rate, year(since) AS since)
OPTIONS (max_depth = 3) AS SELECT * FROM customers;
SELECT id, PREDICT(leavers, *) AS leaves FROM customers;

-- EXPLAIN says what would run, and trains nothing.
EXPLAIN TRAIN MODEL leavers TARGET churned AS SELECT * FROM customers;

-- The alias.
CREATE OR REPLACE MODEL leavers USING LogisticRegression TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;

DROP MODEL leavers;
DROP MODEL sales.leavers;
DROP MODEL prices;
DROP MODEL rooms;
DROP MODEL months;
DROP MODEL segments;
DROP MODEL odd_houses;
DROP MODEL flat_houses;
