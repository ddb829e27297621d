-- What goes wrong, and what is odd but must go right.
-- !include sql/data/customers.sql

-- Unknown things, with the closest known name.
TRAIN MODEL bad USING random_forrest TARGET churned AS SELECT * FROM customers;
-- The task does not matter for a name that nothing has.
TRAIN MODEL bad USING nosuchthing AS SELECT * FROM customers;
TRAIN MODEL bad USING dbscan AS SELECT age, monthly FROM customers;
TRAIN MODEL bad USING spark.random_forest TARGET churned AS SELECT * FROM customers;
TRAIN MODEL bad USING linear_regression TARGET churned AS SELECT * FROM customers;
TRAIN MODEL bad USING decision_tree TARGET churned OPTIONS (max_dept = 3) AS SELECT * FROM customers;
TRAIN MODEL bad USING decision_tree TARGET churned OPTIONS (max_depth = 'deep') AS SELECT * FROM customers;
TRAIN MODEL bad USING decision_tree TARGET churned OPTIONS (test_fraction = 1.5) AS SELECT * FROM customers;
TRAIN MODEL bad USING sklearn.logistic_regression TARGET churned OPTIONS (C = 1, max_iter = -1) AS SELECT * FROM customers;
TRAIN MODEL bad TARGET churned TAGS ('fine' = 'yes',
  'not|fine' = 'yes') AS SELECT * FROM customers;
TRAIN MODEL bad TARGET churnd AS SELECT * FROM customers;
TRAIN MODEL bad TARGET churned FEATURES (age, plann) AS SELECT * FROM customers;
TRAIN MODEL bad TARGET churned
AS SELECT *, nothing
FROM customers;
TRAIN MODEL bad TARGET churned AS SELECT * FROM custommers_of_nobody;
TRAIN MODEL bad TARGET churned AS SELEKT * FROM customers;

-- What only the fit finds out: the place is the option's, or else the estimator's.
TRAIN MODEL bad USING nu_svm TARGET rare AS SELECT age, monthly, id < 5 AS rare FROM customers;
TRAIN MODEL bad USING nu_svm TARGET rare OPTIONS (gamma = 'scale', nu = 0.5) AS SELECT age, id < 5 AS rare FROM customers;
TRAIN MODEL bad USING stacking TARGET churned OPTIONS (estimators = ['logistic_regression', 'decision_tree'])
AS SELECT age, churned FROM customers WHERE id < 4;
TRAIN MODEL bad USING knn TARGET churned AS SELECT age, churned FROM customers WHERE id < 3;
TRAIN MODEL bad USING gaussian_mixture OPTIONS (n_components = 100) AS SELECT age FROM customers;

-- Targets that cannot be learned.
TRAIN MODEL bad AS SELECT * FROM customers;
TRAIN MODEL bad TARGET churned AS SELECT age, CAST(NULL AS STRING) AS churned FROM customers;
TRAIN MODEL bad USING decision_tree TARGET churned AS SELECT age, 'yes' AS churned FROM customers;
TRAIN MODEL bad TARGET labels AS SELECT age, array('yes') AS labels FROM customers;
TRAIN MODEL bad TARGET since AS SELECT age, since FROM customers;

-- Nothing to learn from.
TRAIN MODEL bad TARGET churned AS SELECT * FROM customers WHERE id < 0;
TRAIN MODEL bad TARGET churned AS SELECT churned FROM customers;
TRAIN MODEL bad TARGET churned AS SELECT id % 2 AS churned, concat('name ', id) AS name FROM range(200);
TRAIN MODEL bad TARGET churned AS SELECT churned, age, array(age) AS ages FROM customers;
TRAIN MODEL bad TARGET churned AS SELECT a.age, b.age, a.churned FROM customers a JOIN customers b ON a.id = b.id;
TRAIN MODEL bad TARGET churned AS SELECT a.age, a.churned, b.churned FROM customers a JOIN customers b ON a.id = b.id;
TRAIN MODEL bad TARGET churned FEATURES (monthly, age) AS SELECT churned, age, monthly, age + 1 AS AGE FROM customers;
TRAIN MODEL bad USING decision_tree TARGET churned OPTIONS (seed = hparam_range(1, 9)) AS SELECT * FROM customers;
SHOW MODELS LIKE 'bad*';

-- Names: columns may be called anything.
CREATE OR REPLACE TEMPORARY VIEW odd AS SELECT id, age AS `select`, monthly AS `monthly price, €`, plan AS `PLAN`, paperless AS `a``b`, age AS `år.x`,
  churned AS `left?` FROM customers;
TRAIN MODEL odd USING sklearn.decision_tree TARGET `left?` FEATURES * EXCEPT (id) OPTIONS (max_depth = 3) AS SELECT * FROM odd;
SELECT id, PREDICT(odd, *) AS label FROM odd WHERE id < 3 ORDER BY id;
SELECT id, PREDICT(odd, `select`, `monthly price, €`, plan, `a``b`, `år.x`) AS label FROM odd WHERE id < 3 ORDER BY id;
SELECT PREDICT(odd, `select` => 20, `monthly price, €` => 30, plan => 'basic', `a``b` => true, `år.x` => 20) AS label;
DESCRIBE MODEL odd;
DROP MODEL odd;
-- Names of models may not.
TRAIN MODEL `it's` TARGET churned AS SELECT * FROM customers;
-- !only pyspark spark-sql pyhive connect
TRAIN MODEL `a;b` TARGET churned AS SELECT * FROM customers;
TRAIN MODEL 'quoted' TARGET churned AS SELECT * FROM customers;
DROP MODEL `../etc`;
SELECT PREDICT('it''s', age) FROM customers;
SELECT PREDICT(`a b`, age) FROM customers;

-- Texts: two statements in one, none at all, comments, a statement that stops too early.
-- !only pyspark pyhive connect
TRAIN MODEL bad TARGET churned AS SELECT * FROM customers; DROP MODEL bad;
-- !only pyspark pyhive connect
SHOW MODELS; SHOW MODELS;
/* one */ /* two /* three */ */ SHOW MODELS LIKE 'bad*';
TRAIN MODEL bad TARGET churned AS;
TRAIN MODEL bad TARGET TARGET churned AS SELECT 1;
TRAIN MODEL bad USING TARGET churned AS SELECT 1;
TRAIN MODEL bad OPTIONS (a 1) AS SELECT 1;

-- Types: every one that can be a feature.
CREATE OR REPLACE TEMPORARY VIEW kinds AS SELECT id, CAST(id AS TINYINT) AS tiny, CAST(id AS SMALLINT) AS small, CAST(id AS FLOAT) AS single,
  CAST(id AS DECIMAL(38, 10)) / 7 AS exact, paperless AS flag, since AS day, timestampadd(MINUTE, id * 977, TIMESTAMP'2020-02-28 23:30:00') AS moment,
  TIMESTAMP_NTZ'2021-01-01 12:00:00' AS plain, CAST(plan AS VARCHAR(20)) AS short, IF(id < 30, 'low', 'high') AS label FROM customers;
TRAIN MODEL kinds USING sklearn.decision_tree TARGET label FEATURES * EXCEPT (id) OPTIONS (test_fraction = 0) AS SELECT * FROM kinds;
SELECT count_if(PREDICT(kinds, *) = label) AS right, count(*) AS rows FROM kinds;
-- !only pyspark
TRAIN MODEL spark_kinds USING mllib.decision_tree TARGET label FEATURES * EXCEPT (id) OPTIONS (test_fraction = 0) AS SELECT * FROM kinds;
-- !only pyspark
SELECT count_if(PREDICT(spark_kinds, *) = label) AS right, count(*) AS rows FROM kinds;
-- !only pyspark
DROP MODEL spark_kinds;
DROP MODEL kinds;

-- Values: NULL, NaN and infinity, in training and in scoring.
CREATE OR REPLACE TEMPORARY VIEW holes AS SELECT id, CASE id % 7 WHEN 1 THEN NULL WHEN 2 THEN double('NaN') WHEN 3 THEN double('Infinity')
  WHEN 4 THEN double('-Infinity') ELSE CAST(id AS DOUBLE) END AS x, IF(id % 9 = 0, NULL, IF(id % 2 = 0, 'even', 'odd')) AS y,
  IF(id % 2 = 0, 'yes', 'no') AS label FROM range(70);
TRAIN MODEL holes USING sklearn.logistic_regression TARGET label FEATURES (x, y) OPTIONS (test_fraction = 0) AS SELECT * FROM holes;
SELECT id, PREDICT(holes, x, y) AS label, round(PREDICT_PROBA(holes, x, y)['yes'], 2) AS p FROM holes WHERE id < 10 ORDER BY id;
SELECT PREDICT(holes, double('NaN'), NULL) AS nan, PREDICT(holes, double('-Infinity'), 'neither') AS infinite, PREDICT(holes, NULL, NULL) AS missing;
SELECT count(PREDICT(holes, x, y)) AS none FROM holes WHERE id > 1000;
-- !only pyspark
TRAIN MODEL spark_holes USING mllib.logistic_regression TARGET label FEATURES (x, y) OPTIONS (test_fraction = 0) AS SELECT * FROM holes;
-- !only pyspark
SELECT id, PREDICT(spark_holes, x, y) AS label FROM holes WHERE id < 10 ORDER BY id;
-- !only pyspark
DROP MODEL spark_holes;

-- Settings of the application are no session's to change.
SET spark.sqlml.readOnly = true;
SET spark.sqlml.permissions = everybody;
RESET spark.sqlml.allowedPaths;
SET spark.sqlml.engine = compiled;

-- A model that is dropped between two queries.
DROP MODEL holes;
-- !keep There is no model \w+
SELECT id, PREDICT(holes, x, y) AS label FROM holes WHERE id < 4 ORDER BY id;
