-- The estimators that both libraries have, and the usual ones of scikit-learn, once for each task.
-- !file-only pyspark
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
TRAIN MODEL each USING sklearn.logistic_regression TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;
TRAIN MODEL each USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;
TRAIN MODEL each USING sklearn.random_forest TARGET churned FEATURES (age, plan, monthly) OPTIONS (n_estimators = 10) AS SELECT * FROM customers;
TRAIN MODEL each USING sklearn.gradient_boosting TARGET churned FEATURES (age, plan, monthly) OPTIONS (n_estimators = 10) AS SELECT * FROM customers;
TRAIN MODEL each USING sklearn.hist_gradient_boosting TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_iter = 10) AS SELECT * FROM customers;
TRAIN MODEL each USING mllib.logistic_regression TARGET churned FEATURES (age, plan, monthly) OPTIONS (maxIter = 10) AS SELECT * FROM customers;
TRAIN MODEL each USING mllib.decision_tree TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;
TRAIN MODEL each USING mllib.random_forest TARGET churned FEATURES (age, plan, monthly) OPTIONS (numTrees = 5) AS SELECT * FROM customers;
TRAIN MODEL each USING mllib.gradient_boosting TARGET churned FEATURES (age, plan, monthly) OPTIONS (maxIter = 3) AS SELECT * FROM customers;
TRAIN MODEL each_price USING sklearn.linear_regression TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;
TRAIN MODEL each_price USING sklearn.decision_tree TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;
TRAIN MODEL each_price USING sklearn.random_forest TARGET price FEATURES (area, rooms, city) OPTIONS (n_estimators = 10) AS SELECT * FROM houses;
TRAIN MODEL each_price USING sklearn.gradient_boosting TARGET price FEATURES (area, rooms, city) OPTIONS (n_estimators = 10) AS SELECT * FROM houses;
TRAIN MODEL each_price USING sklearn.hist_gradient_boosting TARGET price FEATURES (area, rooms, city) OPTIONS (max_iter = 10) AS SELECT * FROM houses;
TRAIN MODEL each_price USING mllib.linear_regression TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;
TRAIN MODEL each_price USING mllib.decision_tree TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;
TRAIN MODEL each_price USING mllib.random_forest TARGET price FEATURES (area, rooms, city) OPTIONS (numTrees = 5) AS SELECT * FROM houses;
TRAIN MODEL each_price USING mllib.gradient_boosting TARGET price FEATURES (area, rooms, city) OPTIONS (maxIter = 3) AS SELECT * FROM houses;
SELECT id, PREDICT('each/1', *) AS v1, PREDICT('each/2', *) AS v2, PREDICT('each/3', *) AS v3, PREDICT('each/4', *) AS v4,
  PREDICT('each/5', *) AS v5, PREDICT('each/6', *) AS v6, PREDICT('each/7', *) AS v7, PREDICT('each/8', *) AS v8,
  PREDICT('each/9', *) AS v9
FROM customers WHERE id < 6 ORDER BY id;
SELECT id, round(PREDICT('each_price/1', *), 0) AS v1, round(PREDICT('each_price/2', *), 0) AS v2,
  round(PREDICT('each_price/3', *), 0) AS v3, round(PREDICT('each_price/4', *), 0) AS v4, round(PREDICT('each_price/5', *), 0) AS v5,
  round(PREDICT('each_price/6', *), 0) AS v6, round(PREDICT('each_price/7', *), 0) AS v7, round(PREDICT('each_price/8', *), 0) AS v8,
  round(PREDICT('each_price/9', *), 0) AS v9
FROM houses WHERE id < 4 ORDER BY id;
DROP MODEL each;
DROP MODEL each_price;
