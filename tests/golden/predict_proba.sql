-- PREDICT_PROBA: a map from label to probability.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
TRAIN MODEL proba USING sklearn.logistic_regression TARGET churned FEATURES (age, plan, monthly) OPTIONS (test_fraction = 0)
AS SELECT * FROM customers;
TRAIN MODEL proba_rooms USING sklearn.decision_tree TARGET rooms FEATURES (area, price) OPTIONS (max_depth = 3, test_fraction = 0)
AS SELECT * FROM houses;
TRAIN MODEL proba_paperless USING sklearn.decision_tree TARGET paperless FEATURES (rest) OPTIONS (test_fraction = 0)
AS SELECT id % 5 AS rest, paperless FROM customers;
TRAIN MODEL proba_price USING sklearn.linear_regression TARGET price FEATURES (area) AS SELECT * FROM houses;

SELECT id, round(PREDICT_PROBA(proba, age, plan, monthly)['yes'], 3) AS yes, round(PREDICT_PROBA(proba, *)['no'], 3) AS no,
  PREDICT(proba, *) AS label
FROM customers WHERE id < 5 ORDER BY id;
SELECT id, transform_values(PREDICT_PROBA('proba/1', monthly => monthly, age => age, plan => plan), (k, v) -> round(v, 3)) AS all_labels,
  transform_values(ml_predict_proba(MODEL proba, age, plan, monthly), (k, v) -> round(v, 3)) AS same
FROM customers WHERE id < 3 ORDER BY id;

-- The keys have the target's type, and stand in one order for every row.
SELECT map_keys(PREDICT_PROBA(proba_rooms, area, price)) AS rooms, map_keys(PREDICT_PROBA(proba_paperless, 0)) AS paperless FROM houses LIMIT 1;
SELECT PREDICT_PROBA(proba_paperless, 0) AS zero, PREDICT_PROBA(proba_paperless, 1)[true] AS one;
SELECT count(*) AS right FROM (SELECT PREDICT(proba_rooms, *) AS label, PREDICT_PROBA(proba_rooms, *) AS p FROM houses)
  WHERE p[label] = array_max(map_values(p)) AND abs(aggregate(map_values(p), 0D, (a, b) -> a + b) - 1) < 1e-9;

-- The likeliest to leave; a label that does not exist has no probability.
SELECT id, round(PREDICT_PROBA(proba, *)['yes'], 3) AS p FROM customers ORDER BY p DESC, id LIMIT 3;
SELECT PREDICT_PROBA(proba, *)['perhaps'] AS p FROM customers WHERE id = 0;
SELECT PREDICT_PROBA(proba, *) AS p FROM customers WHERE id < 0;

-- A regression has no probabilities.
SELECT PREDICT_PROBA(proba_price, area) FROM houses;

DROP MODEL proba;
DROP MODEL proba_rooms;
DROP MODEL proba_paperless;
DROP MODEL proba_price;
