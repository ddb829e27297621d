-- Estimators by scikit-learn's own names in snake case, and CatBoost.
-- !file-only pyspark
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
TRAIN MODEL named USING sklearn.calibrated_classifier_cv TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;
SELECT id, PREDICT(named, *) AS churned, round(PREDICT_PROBA(named, *)['yes'], 6) AS p FROM customers WHERE id < 6 ORDER BY id;
SELECT PREDICT_PROBA(named, age => NULL, plan => 'unheard of', monthly => NULL)['yes'] BETWEEN 0 AND 1 AS answers;
DESCRIBE MODEL named;
-- A class's name means the estimator of our table.
TRAIN MODEL named_price USING sklearn.random_forest_regressor TARGET price FEATURES (area, rooms, city) OPTIONS (n_estimators = 10) AS SELECT * FROM houses;
TRAIN MODEL named_price USING sklearn.PassiveAggressiveRegressor TARGET price FEATURES (area, rooms, city) OPTIONS (C = 0.1) AS SELECT * FROM houses;
TRAIN MODEL named_price USING sklearn.dummy TARGET price FEATURES (area, city) OPTIONS (strategy = 'median') AS SELECT * FROM houses;
SELECT count(DISTINCT PREDICT(named_price, *)) AS predictions FROM houses;
TRAIN MODEL groups USING sklearn.birch OPTIONS (n_clusters = 2) AS SELECT area, rooms, price FROM houses;
SELECT count(DISTINCT PREDICT(groups, *)) AS groups FROM houses;
TRAIN MODEL odd_ones USING elliptic_envelope OPTIONS (contamination = 0.1) AS SELECT area, price FROM houses;
SELECT PREDICT(odd_ones, area => 1e6, price => 1) AS odd, PREDICT(odd_ones, area => NULL, price => NULL) AS usual;
-- CatBoost, with missing numbers as they are.
TRAIN MODEL cats USING catboost TARGET churned FEATURES (age, plan, monthly) OPTIONS (iterations = 20, depth = 3, learning_rate = 0.3) AS SELECT * FROM customers;
SELECT count_if(PREDICT(cats, *) = churned) > 0.8 * count(*) AS learned FROM customers;
SELECT PREDICT(cats, age => NULL, plan => 'unheard of', monthly => NULL) IN ('yes', 'no') AS answers;
TRAIN MODEL cat_prices USING catboost TARGET price FEATURES (area, rooms, city) OPTIONS (iterations = 20, grow_policy = 'Lossguide', loss_function = 'Quantile:alpha=0.9') AS SELECT * FROM houses;
SELECT count_if(PREDICT(cat_prices, *) >= price) > 0.6 * count(*) AS above FROM houses;

-- What is refused, and why.
TRAIN MODEL bad USING sklearn.dbscan AS SELECT area, price FROM houses;
TRAIN MODEL bad USING sklearn.MultiTaskLasso TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL bad USING sklearn.one_vs_rest_classifier TARGET churned FEATURES (age) AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.categorical_nb TARGET churned FEATURES (age) AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.calibrated_clasifier_cv TARGET churned FEATURES (age) AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.lars TARGET churned FEATURES (age) AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.birch OPTIONS (threshold = -1) AS SELECT area, price FROM houses;
TRAIN MODEL bad USING sklearn.birch OPTIONS (treshold = 1) AS SELECT area, price FROM houses;
TRAIN MODEL bad USING sklearn.calibrated_classifier_cv TARGET churned FEATURES (age) OPTIONS (estimator = 'svm') AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.calibrated_classifier_cv TARGET churned FEATURES (age) OPTIONS (method = 'isotonic') AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.dummy TARGET churned FEATURES (age) OPTIONS (strategy = 'uniform') AS SELECT * FROM customers;
TRAIN MODEL bad USING catboost TARGET churned FEATURES (age) OPTIONS (depth = 40) AS SELECT * FROM customers;
TRAIN MODEL bad USING catboost TARGET churned FEATURES (age) OPTIONS (grow_policy = 'Region') AS SELECT * FROM customers;
DROP MODEL named;
DROP MODEL named_price;
DROP MODEL groups;
DROP MODEL odd_ones;
DROP MODEL cats;
DROP MODEL cat_prices;
