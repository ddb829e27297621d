-- Text columns: what is different in nearly every row, and numbers and dates held as text.
-- !file-only pyspark
CREATE OR REPLACE TEMPORARY VIEW people AS SELECT IF(id = 99, 'name 0', concat('name ', id)) AS name, id * 37 % 101 AS a, CAST(DATE'2020-01-01' + CAST(id AS INT) AS STRING) AS day, IF(id = 50, 'NA', CAST(id * 1.5D AS STRING)) AS price, CAST(id % 30 AS STRING) AS code, IF(id % 2 = 0, 'x', 'z') AS y FROM range(100);
-- The same columns are left out, however the rows are split, and PREDICT does not ask for them.
TRAIN MODEL texts USING decision_tree TARGET y OPTIONS (test_fraction = 0.2, max_depth = 2) AS SELECT name, a, y FROM people;
TRAIN MODEL texts USING decision_tree TARGET y OPTIONS (test_fraction = 0.3, max_depth = 2) AS SELECT * FROM people;
DESCRIBE MODEL texts;
SHOW CREATE MODEL texts;
SELECT count(PREDICT(texts, *)) AS answers FROM people;
-- Trained again it has the same features, whatever the texts are by then.
CREATE OR REPLACE TEMPORARY VIEW people AS SELECT concat('name ', id % 7) AS name, id AS a, 'day' AS day, 'price' AS price, concat('code ', id) AS code, IF(id % 2 = 0, 'x', 'z') AS y FROM range(100);
RETRAIN MODEL texts;
-- Named they are an error, all in one.
CREATE OR REPLACE TEMPORARY VIEW people AS SELECT concat('name ', id) AS name, id AS a, CAST(DATE'2020-01-01' + CAST(id AS INT) AS STRING) AS `the day`, id * 1.5D AS price, CAST(id * 1.5D AS STRING) AS held, IF(id % 2 = 0, 'x', 'z') AS y FROM range(100);
TRAIN MODEL texts USING decision_tree TARGET y FEATURES (name, a, `the day`) AS SELECT * FROM people;
TRAIN MODEL texts USING decision_tree TARGET y OPTIONS (encode = {'name': 'target'}) AS SELECT name, a, y FROM people;
TRAIN MODEL texts USING decision_tree TARGET y AS SELECT name, `the day`, y FROM people;
-- A target that is a text.
TRAIN MODEL texts USING linear_regression TARGET held AS SELECT a, held FROM people;
TRAIN MODEL texts USING linear_regression TARGET held OPTIONS (task = 'regression') AS SELECT a, held FROM people;
TRAIN MODEL texts USING linear_regression TARGET y AS SELECT a, y FROM people;
TRAIN MODEL texts USING linear_regression TARGET y OPTIONS (task = 'regression') AS SELECT a, y FROM people;
-- Fewer than ten rows are not split, and a target with a 0 has no mape.
TRAIN MODEL texts USING linear_regression TARGET price AS SELECT a, price FROM people LIMIT 5;
TRAIN MODEL texts USING ridge TARGET price OPTIONS (alpha = hparam_candidates([1, 2]), metric = 'mape') AS SELECT a, 0D AS price FROM people;
-- Short names, and names that are none.
TRAIN MODEL texts USING knn TARGET y OPTIONS (n_neighbors = 1) AS SELECT a, y FROM people;
TRAIN MODEL texts USING qda TARGET price AS SELECT a, price FROM people;
TRAIN MODEL texts USING zzz TARGET y AS SELECT a, y FROM people;
-- Columns that differ by case.
SET spark.sql.caseSensitive = true;
CREATE OR REPLACE TEMPORARY VIEW cases AS SELECT id AS lp, 1000 * id * id AS LP, 1D * id + 1000 * id * id AS y FROM range(40);
TRAIN MODEL cases USING linear_regression TARGET y AS SELECT * FROM cases;
SELECT max(abs(y - PREDICT(cases, *))) < 1e-6 AS star, max(abs(y - PREDICT(cases, LP, lp))) < 1e-6 AS named, max(abs(y - PREDICT(cases, lp + 0, LP + 0))) < 1e-6 AS placed FROM cases;
SET spark.sql.caseSensitive = false;
TRAIN MODEL texts USING decision_tree TARGET y AS SELECT * FROM cases;
TRAIN MODEL texts USING decision_tree TARGET y FEATURES * EXCEPT (lp) AS SELECT * FROM cases;
TRAIN MODEL texts USING decision_tree TARGET y AS SELECT a, a, y FROM people;
RESET spark.sql.caseSensitive;
