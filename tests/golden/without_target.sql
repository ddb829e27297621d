-- Estimators that learn from the features alone: clusters and anomalies.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
TRAIN MODEL segments USING k_means OPTIONS (n_clusters = 3) AS SELECT age, monthly, plan FROM customers;
SELECT segment IN (0, 1, 2) AS known, typeof(segment) AS type, count(*) AS customers FROM (SELECT PREDICT(segments, *) AS segment FROM customers) GROUP BY ALL;
SELECT count(DISTINCT PREDICT(segments, age, monthly, plan)) AS segments FROM customers;
SELECT PREDICT(segments, age => NULL, monthly => NULL, plan => 'gold') IN (0, 1, 2) AS unseen;
SELECT PREDICT_PROBA(segments, *) FROM customers;

TRAIN MODEL blend USING gaussian_mixture OPTIONS (n_components = 2, covariance_type = 'diag') AS SELECT area, rooms, price FROM houses;
SELECT bool_and(abs(p[0] + p[1] - 1) < 1e-12) AS sums, bool_and(p[label] >= 0.5) AS likeliest FROM (SELECT PREDICT_PROBA(blend, *) AS p, PREDICT(blend, *) AS label FROM houses);

TRAIN MODEL odd_houses USING isolation_forest OPTIONS (n_estimators = 20, contamination = 0.1) AS SELECT area, rooms, city, price FROM houses;
SELECT PREDICT(odd_houses, *) AS odd, count(*) FROM houses GROUP BY ALL ORDER BY odd;
SELECT PREDICT(odd_houses, area => 100000, rooms => 900, city => 'Oslo', price => 1) AS odd, typeof(PREDICT(odd_houses, *)) AS type FROM houses LIMIT 1;
DESCRIBE MODEL odd_houses;
SHOW MODELS LIKE 'odd*';

-- Coordinates along principal components.
TRAIN MODEL flat USING pca OPTIONS (n_components = 2) AS SELECT area, rooms, price, city FROM houses;
SELECT typeof(p) AS type, abs(corr(p.component_1, p.component_2)) < 1e-9 AS uncorrelated, var_pop(p.component_1) > var_pop(p.component_2) AS ordered FROM (SELECT PREDICT(flat, *) AS p FROM houses) GROUP BY 1;
SELECT PREDICT(flat, area => NULL, rooms => NULL, price => NULL, city => NULL).component_1 IS NOT NULL AS answers;
DESCRIBE MODEL flat;
SELECT PREDICT_PROBA(flat, *) FROM houses;
TRAIN MODEL flat USING truncated_svd OPTIONS (n_components = 1) AS SELECT area, rooms, price FROM houses;
SELECT count(PREDICT(flat, *).component_1) AS rows FROM houses;
TRAIN MODEL flat USING pca OPTIONS (n_components = 2, cv_folds = 3) AS SELECT area, rooms FROM houses;
TRAIN MODEL flat USING pca TARGET price AS SELECT area, rooms, price FROM houses;

-- What does not go together.
TRAIN MODEL bad USING k_means TARGET churned AS SELECT * FROM customers;
TRAIN MODEL bad USING random_forest AS SELECT * FROM customers;
TRAIN MODEL bad AS SELECT * FROM customers;
TRAIN MODEL bad USING k_means OPTIONS (n_clusters = 0) AS SELECT area FROM houses;
TRAIN MODEL bad USING k_means OPTIONS (n_clusters = 500) AS SELECT area FROM houses;
TRAIN MODEL bad USING k_means AS SELECT area FROM houses WHERE id < 0;
TRAIN MODEL bad USING linear_svm TARGET churned FEATURES (age, monthly) AS SELECT * FROM customers;
SELECT PREDICT_PROBA(bad, *)['yes'] FROM customers;
DROP MODEL bad;
DROP MODEL flat;
DROP MODEL segments;
DROP MODEL blend;
DROP MODEL odd_houses;
