-- The options that every estimator has: what is held out, what counts more, how many rows.
-- !file-only pyspark
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
CREATE OR REPLACE VIEW marked AS SELECT *, id % 4 = 0 AS test, CAST(id % 3 AS DOUBLE) AS weight FROM customers;
-- A boolean column says which rows are held out, and is no feature.
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES * EXCEPT (id, since, weight) OPTIONS (split_column = 'test', max_depth = 3) AS SELECT * FROM marked;
-- Any other column is an order, whose last rows are held out.
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES (age, plan) OPTIONS (split_column = since, test_fraction = 0.25) AS SELECT * FROM marked;
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES (age, plan) OPTIONS (split_method = 'none') AS SELECT * FROM marked;
-- Weights of rows and of classes.
TRAIN MODEL options USING sklearn.logistic_regression TARGET churned FEATURES (age, plan, monthly) OPTIONS (weight_column = 'weight', class_weights = {'yes': 3, 'no': 1}) AS SELECT * FROM marked;
TRAIN MODEL options USING sklearn.logistic_regression TARGET churned FEATURES (age, plan, monthly) OPTIONS (class_weights = 'balanced') AS SELECT * FROM marked;
-- What missing numbers count as, what says that they are missing, and how texts become numbers.
TRAIN MODEL options USING sklearn.logistic_regression TARGET churned FEATURES (age, plan, monthly)
OPTIONS (impute = {'age': 'median', 'monthly': 50}, missing_flag = ['Age'], encode = {'plan': 'target'}) AS SELECT * FROM marked;
DESCRIBE MODEL options;
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (impute = 'most_frequent', encode = 'ordinal', max_depth = 3) AS SELECT * FROM marked;
SELECT id, PREDICT(options, *) AS label FROM marked WHERE id < 4 ORDER BY id;
-- A sample, the same one whenever it is taken.
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_rows = 30, max_depth = 3) AS SELECT * FROM marked;
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_rows = 30, max_depth = 3) AS SELECT * FROM marked ORDER BY id DESC;
SELECT count(*) AS differences FROM marked WHERE PREDICT('options/8', *) <> PREDICT('options/9', *);
-- From one number: a price that never falls with the area.
TRAIN MODEL options USING isotonic_regression TARGET price FEATURES (area) AS SELECT * FROM houses;
SELECT count(*) AS falling FROM (SELECT PREDICT(options, area) AS p, lag(PREDICT(options, area)) OVER (ORDER BY area) AS before FROM houses) WHERE p < before;
-- An estimator without classes takes whole numbers as quantities.
TRAIN MODEL options USING linear_regression TARGET rooms AS SELECT area, price, rooms FROM houses;
-- Trials and an order: each is measured on the last of the rows that are learned from.
TRAIN MODEL options USING sklearn.decision_tree TARGET churned FEATURES (age, plan)
OPTIONS (split_column = since, max_depth = hparam_candidates([1, 3])) AS SELECT * FROM marked;

-- What goes wrong.
TRAIN MODEL options TARGET churned OPTIONS (split_column = 'tset') AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (split_column = 'plan') AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (split_method = 'sequential') AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (split_column = 'test', test_fraction = 0.25) AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (split_method = 'backwards') AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (weight_column = 'plan') AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (class_weights = {'maybe': 2}) AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (class_weights = 3) AS SELECT * FROM marked;
TRAIN MODEL options TARGET price OPTIONS (class_weights = 'balanced') AS SELECT * FROM houses;
TRAIN MODEL options TARGET price OPTIONS (censor_column = 'rooms') AS SELECT * FROM houses;
TRAIN MODEL options USING aft_survival_regression TARGET price OPTIONS (censor_column = 'city') AS SELECT * FROM houses;
TRAIN MODEL options USING isotonic_regression TARGET price AS SELECT area, rooms, price FROM houses;
TRAIN MODEL options USING isotonic_regression TARGET price FEATURES (city) AS SELECT * FROM houses;
TRAIN MODEL options USING isotonic_regression TARGET price FEATURES (area) OPTIONS (missing_flag = true) AS SELECT * FROM houses;
TRAIN MODEL options TARGET churned OPTIONS (impute = {'agee': 'median'}) AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (impute = {'plan': 'median'}) AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (missing_flag = ['age', 'plan']) AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (missing_flag = 'age') AS SELECT * FROM marked;
TRAIN MODEL options USING lightgbm TARGET churned OPTIONS (missing_flag = true) AS SELECT * FROM marked;
TRAIN MODEL options USING xgboost TARGET churned OPTIONS (impute = {'monthly': 0}, missing_flag = {'age': true}) AS SELECT * FROM marked;
TRAIN MODEL options TARGET churned OPTIONS (encode = 'hashing') AS SELECT * FROM marked;
TRAIN MODEL options TARGET price OPTIONS (max_rows = 0) AS SELECT * FROM houses;
TRAIN MODEL options USING sklearn.k_neighbors TARGET price FEATURES (area) OPTIONS (weight_column = 'rooms') AS SELECT * FROM houses;
DROP MODEL options;
DROP VIEW marked;
