-- TRAIN MODEL
--
-- Fits an estimator to the rows of a query and registers the result as a new version of a model. A version is
-- registered only if the fit, the conversion to ONNX, and the comparison of both on the same rows succeed.
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
-- CREATE [OR REPLACE] MODEL [IF NOT EXISTS] … is the same statement, in a spelling that all tools accept.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql

-- The short form. All columns but the target are features, and they are prepared by their type: missing numbers are
-- imputed unless the estimator supports them, a text becomes one column for each category, and a date becomes its
-- parts. The target is a string, so this is a classification. The default estimator is gradient boosting.
TRAIN MODEL leavers TARGET churned AS SELECT * FROM customers;

-- A text column in which nearly every row has another value, such as a name or a key, is left out, and `warnings` says
-- so. The same name again gives version 2. A version is never overwritten.
TRAIN MODEL leavers TARGET churned FEATURES * EXCEPT (id) AS SELECT * FROM customers;

-- The last column of the result, warnings, says what makes a model doubtful: an r2 below 0 on the held-out rows, or a
-- label that only one row has. It is NULL if there is nothing. DESCRIBE MODEL shows the warnings again.

-- IF NOT EXISTS: leavers exists, so nothing is trained, and no row is returned.
TRAIN MODEL IF NOT EXISTS leavers TARGET churned AS SELECT * FROM customers;

-- Every clause once. Clauses can be in any order. FEATURES names the feature columns. OPTIONS has options that all
-- estimators support (task, test_fraction, seed, tolerance), and hyperparameters under the names of the library. TAGS
-- are stored in the registry.
TRAIN MODEL sales.leavers
  COMMENT 'Who leaves within a month'
  USING sklearn.random_forest
  TARGET churned
  FEATURES (age, plan, monthly)
  OPTIONS (task = 'classification', test_fraction = 0.25, seed = 7, tolerance = 1e-6, n_estimators = 20, max_depth = 4)
  TAGS ('team' = 'retention', 'ticket' = '1234')
AS SELECT * FROM customers;

-- A target with fractions makes a regression. The query can be any query.
TRAIN MODEL prices USING linear_regression TARGET price AS
WITH north AS (SELECT * FROM houses WHERE city <> 'Bergen')
SELECT area, rooms, city, price FROM north WHERE area > 60;

-- An integer target with at most 20 different values makes a classification. The option task changes that.
TRAIN MODEL rooms USING decision_tree TARGET rooms OPTIONS (task = 'regression') AS SELECT area, price, rooms FROM houses;

-- The rows that the metrics are measured on: a boolean column marks the held-out rows, and any other column is an
-- order, whose last rows are held out. Such a column is not a feature. If no rows are held out (test_fraction = 0), the
-- metrics are measured on the training rows: on a cluster on all of them, and on one machine on at most 50,000, which
-- are always the same and include every class. DESCRIBE MODEL shows which.
TRAIN MODEL leavers TARGET churned FEATURES (age, plan, monthly) OPTIONS (split_column = 'since', test_fraction = 0.25)
AS SELECT * FROM customers;

-- Weights of classes, and a sample of the rows.
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly)
OPTIONS (class_weights = {'yes': 3, 'no': 1}, max_rows = 50) AS SELECT * FROM customers;

-- Missing numbers: trees, forests, extra trees, bagging, isolation forests and hist_gradient_boosting of scikit-learn,
-- CatBoost, LightGBM and XGBoost support them, and learn from the fact that a value is missing. For all other estimators
-- they are replaced by the mean. `impute` sets the replacement for any estimator.
TRAIN MODEL leavers TARGET churned FEATURES (age, plan, monthly) OPTIONS (impute = {'age': 'median'}) AS SELECT * FROM customers;

-- The replacement for missing numbers, the features that get a column which is 1 if the value is missing (true for all
-- numbers; scikit-learn calls it add_indicator), and the encoding of texts. DESCRIBE MODEL shows the result.
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly)
OPTIONS (impute = {'age': 'median', 'monthly': 50}, missing_flag = ['age'], encode = {'plan': 'target'})
AS SELECT * FROM customers;

-- A search: it tries ranges and candidates with cross-validation, and fits the best. Each trial is an MLflow run inside
-- the run of the training.
TRAIN MODEL leavers USING sklearn.random_forest TARGET churned FEATURES (age, plan, monthly)
OPTIONS (n_estimators = 20, max_depth = hparam_range(2, 8), criterion = hparam_candidates(['gini', 'entropy']),
         num_trials = 4, cv_folds = 3, metric = 'roc_auc') AS SELECT * FROM customers;

-- Other libraries, if they are installed. They support missing values. LightGBM and XGBoost split categories by sets;
-- for CatBoost, whose ONNX has no categories, a text becomes one column for each.
TRAIN MODEL leavers USING lightgbm TARGET churned FEATURES (age, plan, monthly)
OPTIONS (n_estimators = 50, early_stopping_rounds = 5, monotone_constraints = {'monthly': 1}) AS SELECT * FROM customers;

TRAIN MODEL leavers USING catboost TARGET churned FEATURES (age, plan, monthly)
OPTIONS (iterations = 50, depth = 4, learning_rate = 0.1) AS SELECT * FROM customers;

-- Any classifier, regressor, clusterer or detector of scikit-learn by its own name, in snake case or as its class. Those
-- that are refused, and why, are in fidelity.md.
TRAIN MODEL leavers USING sklearn.calibrated_classifier_cv TARGET churned FEATURES (age, plan, monthly)
OPTIONS (cv = 3) AS SELECT * FROM customers;
TRAIN MODEL prices USING sklearn.lars_cv TARGET price AS SELECT area, rooms, price FROM houses;
TRAIN MODEL segments USING sklearn.Birch OPTIONS (n_clusters = 3) AS SELECT age, monthly, plan FROM customers;

-- The library in front of the estimator: `sklearn` trains on the driver, and `mllib` on the cluster. By default the
-- number of rows decides (spark.sqlml.train.maxRows).
TRAIN MODEL prices USING mllib.decision_tree TARGET price OPTIONS (maxDepth = 3) AS SELECT area, rooms, price FROM houses;

-- Isotonic regression fits a curve to one number that never falls, or never rises with increasing = false.
TRAIN MODEL prices USING isotonic_regression TARGET price FEATURES (area) AS SELECT * FROM houses;

-- From the rows within a radius, in units of the scaled features: by default so large that nine of ten training rows have
-- five others within it. A row without neighbours gets the most frequent label; a number is NaN then.
TRAIN MODEL prices USING radius_neighbors TARGET price OPTIONS (radius = 1.5, weights = 'distance')
AS SELECT area, rooms, price FROM houses;
SELECT id, nanvl(PREDICT(prices, *), NULL) AS price FROM houses;

-- How long something lasts, where some of it has not ended yet: censor_column is true where the end was observed.
TRAIN MODEL months USING aft_survival_regression TARGET months FEATURES (age, monthly) OPTIONS (censor_column = 'gone')
AS SELECT age, monthly, churned = 'yes' AS gone, months_between(DATE'2024-01-01', since) AS months FROM customers;

-- Without a target, PREDICT returns the number of the cluster, or whether a row is an anomaly.
TRAIN MODEL segments USING k_means OPTIONS (n_clusters = 3) AS SELECT age, monthly, plan FROM customers;
SELECT PREDICT(segments, *) AS segment, count(*) AS customers FROM customers GROUP BY segment;
TRAIN MODEL odd_houses USING isolation_forest AS SELECT area, rooms, city, price FROM houses;
SELECT * FROM houses WHERE PREDICT(odd_houses, *);

-- Principal components: PREDICT returns the coordinates as a STRUCT.
TRAIN MODEL flat_houses USING pca OPTIONS (n_components = 2) AS SELECT area, rooms, price FROM houses;
SELECT id, PREDICT(flat_houses, *).component_1 FROM houses;

-- Several estimators combined into one.
TRAIN MODEL leavers USING stacking TARGET churned FEATURES (age, plan, monthly)
OPTIONS (estimators = ['logistic_regression', 'decision_tree'], final_estimator = 'logistic_regression')
AS SELECT * FROM customers;

-- Features that are computed from the columns of the query, in training and in scoring.
TRAIN MODEL leavers USING decision_tree TARGET churned
TRANSFORM (coalesce(age, 40) AS age, monthly / (age + 1) AS rate, year(since) AS since)
OPTIONS (max_depth = 3) AS SELECT * FROM customers;
SELECT id, PREDICT(leavers, *) AS leaves FROM customers;

-- EXPLAIN shows what would run, and trains nothing.
EXPLAIN TRAIN MODEL leavers TARGET churned AS SELECT * FROM customers;

-- The other spelling of the statement, with a class name of scikit-learn.
CREATE OR REPLACE MODEL leavers USING LogisticRegression TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;

DROP MODEL leavers;
DROP MODEL sales.leavers;
DROP MODEL prices;
DROP MODEL rooms;
DROP MODEL months;
DROP MODEL segments;
DROP MODEL odd_houses;
DROP MODEL flat_houses;
