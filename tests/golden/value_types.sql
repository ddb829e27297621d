-- Types that decide which values are equal: CHAR(n), collations, and times with and without a zone.
CREATE TABLE padded (c CHAR(5), y DOUBLE, at TIMESTAMP, local TIMESTAMP_NTZ, day DATE) USING parquet;
INSERT INTO padded
SELECT IF(id % 2 = 0, 'ab', 'xyz'), IF(id % 2 = 0, 10, 0), timestamp_seconds(id * 3600), CAST(timestamp_seconds(id * 3600) AS TIMESTAMP_NTZ),
  date_from_unix_date(CAST(id AS INT)) FROM range(100);
TRAIN MODEL of_char USING sklearn.decision_tree TARGET y FEATURES (c) OPTIONS (test_fraction = 0, task = 'regression') AS SELECT * FROM padded;
-- !keep # Features|^c\t.*
DESCRIBE MODEL of_char;
CREATE TEMPORARY VIEW asked_char AS
SELECT DISTINCT c = 'ab' AS equal, PREDICT(of_char, c) AS a, PREDICT(of_char, *) AS b, PREDICT(of_char, rtrim(c)) AS d, PREDICT(of_char, 'ab  ') AS e,
  PREDICT(of_char, 'a') AS f FROM padded;
SET spark.sqlml.engine = onnxruntime;
SELECT * FROM asked_char ORDER BY equal;
SET spark.sqlml.engine = compiled;
SELECT * FROM asked_char ORDER BY equal;
-- A CHAR column for a STRING feature, and a TRANSFORM that compares one.
TRAIN MODEL of_string USING sklearn.decision_tree TARGET y FEATURES (c) OPTIONS (test_fraction = 0, task = 'regression') AS
SELECT rtrim(c) AS c, y FROM padded;
SELECT DISTINCT c = 'ab' AS equal, PREDICT(of_string, c) AS a FROM padded ORDER BY equal;
TRAIN MODEL of_comparison USING sklearn.decision_tree TARGET y TRANSFORM (c = 'ab' AS is_ab) OPTIONS (test_fraction = 0, task = 'regression') AS
SELECT c, y FROM padded;
SELECT DISTINCT c = 'ab' AS equal, PREDICT(of_comparison, c) AS a, PREDICT(of_comparison, rtrim(c)) AS b FROM padded ORDER BY equal;
EXPORT MODEL of_comparison TO 'of_comparison.sql' OPTIONS (dialect = 'duckdb', table = 'padded');
-- A label has no blanks behind it, and is equal to the column.
TRAIN MODEL says_char USING sklearn.decision_tree TARGET c FEATURES (y) OPTIONS (test_fraction = 0) AS SELECT * FROM padded;
SELECT DISTINCT PREDICT(says_char, y) AS said, length(PREDICT(says_char, y)) AS length, PREDICT(says_char, y) = 'ab' AS is_ab,
  PREDICT(says_char, y) = c AND c <=> PREDICT(says_char, y) AS is_c FROM padded ORDER BY said;
CREATE VIEW said_char AS SELECT c, PREDICT(says_char, y) AS said FROM padded;
SELECT count(*) FROM said_char WHERE said = c;
SELECT count(*) FROM PREDICT(says_char, TABLE(padded)) WHERE c = predicted_c;
SELECT count(*) FROM PREDICT(MODEL = says_char, DATA = padded AS d) WITH (c STRING) AS p WHERE d.c = p.c;
SELECT count(DISTINCT p.c) FROM said_char s JOIN padded p ON s.said = p.c;
SELECT count_if(PREDICT(says_char, y) IN (c)) AS a, count_if(c IN (PREDICT(says_char, y), 'no')) AS b FROM padded;
DROP VIEW said_char;
-- Collations: of equal texts one spelling is learned, whichever of them is asked with.
CREATE TABLE collated (k STRING COLLATE UTF8_LCASE, i STRING COLLATE UNICODE_CI_AI, r STRING COLLATE UTF8_BINARY_RTRIM, y DOUBLE) USING parquet;
INSERT INTO collated
SELECT element_at(array('Ab', 'ab', 'AB', 'c'), CAST(id % 4 AS INT) + 1), element_at(array('Áb', 'ab', 'AB', 'c'), CAST(id % 4 AS INT) + 1),
  element_at(array('x', 'x ', 'x  ', 'y'), CAST(id % 4 AS INT) + 1), IF(id % 4 = 3, 0, 10) FROM range(200);
TRAIN MODEL of_collated USING sklearn.decision_tree TARGET y FEATURES (k, i, r) OPTIONS (test_fraction = 0, task = 'regression') AS SELECT * FROM collated;
-- !keep # Features|^[kir]\t.*
DESCRIBE MODEL of_collated;
CREATE TEMPORARY VIEW asked_collated AS
SELECT DISTINCT k = 'ab' AS equal, PREDICT(of_collated, *) AS a, PREDICT(of_collated, CAST(k AS STRING), 'ÀB', 'x   ') AS b, PREDICT(of_collated, 'z', 'z', 'z') AS d FROM collated;
SET spark.sqlml.engine = onnxruntime;
SELECT * FROM asked_collated ORDER BY equal;
SET spark.sqlml.engine = auto;
SELECT * FROM asked_collated ORDER BY equal;
TRAIN MODEL says_collated USING sklearn.decision_tree TARGET k FEATURES (y) OPTIONS (test_fraction = 0) AS SELECT * FROM collated;
SELECT DISTINCT CAST(PREDICT(says_collated, y) AS STRING) AS said, typeof(PREDICT(says_collated, y)) AS type, PREDICT(says_collated, y) = k AS right FROM collated ORDER BY said;
-- Beside a literal the label keeps its collation, whichever engine says it.
SELECT DISTINCT coalesce(PREDICT(says_collated, y), 'none') = upper(PREDICT(says_collated, y)) AS the_same FROM collated;
SET spark.sqlml.engine = onnxruntime;
SELECT count(*) > 0 AS some FROM collated WHERE PREDICT(says_collated, y) IN (upper(k), 'none');
SELECT DISTINCT predicted_k = upper(k) AS right FROM PREDICT(says_collated, TABLE(collated)) WHERE predicted_k <> 'none';
RESET spark.sqlml.engine;
EXPORT MODEL of_collated TO 'of_collated.sql' OPTIONS (dialect = 'duckdb', table = 'collated');
EXPORT MODEL of_collated TO 'of_collated.onnx';
IMPORT MODEL again FROM 'of_collated.onnx';
SELECT DISTINCT PREDICT(again, *) = PREDICT(of_collated, *) AS the_same FROM collated;
-- ONNX Runtime beside columns that Spark's Arrow batches cannot hold.
TRAIN MODEL near USING k_neighbors TARGET y FEATURES (k) OPTIONS (test_fraction = 0, task = 'regression') AS SELECT * FROM collated;
SELECT count(*) AS rows, min(PREDICT(near, k)) AS least, max(PREDICT(near, upper(k))) AS most FROM collated GROUP BY k, i ORDER BY least;
CREATE TABLE beside_collated AS SELECT *, PREDICT(near, k) AS p FROM collated;
SELECT count(DISTINCT p) FROM beside_collated;
-- Dates and timestamps become each other as CAST does it, in the session's time zone.
TRAIN MODEL of_time USING sklearn.linear_regression TARGET n FEATURES (at) OPTIONS (test_fraction = 0, task = 'regression') AS
SELECT at, unix_seconds(at) / 3600 AS n FROM padded;
TRAIN MODEL of_local USING sklearn.linear_regression TARGET n FEATURES (local) OPTIONS (test_fraction = 0, task = 'regression') AS
SELECT local, unix_seconds(at) / 3600 AS n FROM padded;
SET spark.sql.session.timeZone = America/New_York;
SET spark.sqlml.engine = onnxruntime;
SELECT round(PREDICT(of_time, day), 3) AS day, round(PREDICT(of_time, local), 3) AS local, round(PREDICT(of_time, at), 3) AS at,
  round(PREDICT(of_local, day), 3) AS l_day, round(PREDICT(of_local, local), 3) AS l_local, round(PREDICT(of_local, at), 3) AS l_at,
  PREDICT(of_time, day) = PREDICT(of_time, CAST(day AS TIMESTAMP)) AND PREDICT(of_local, at) = PREDICT(of_local, CAST(at AS TIMESTAMP_NTZ)) AS as_cast
FROM VALUES (DATE'1970-01-03', TIMESTAMP_NTZ'1970-01-03 00:00:00', timestamp_seconds(172800)) v(day, local, at);
SET spark.sqlml.engine = compiled;
SELECT round(PREDICT(of_time, day), 3) AS day, round(PREDICT(of_time, local), 3) AS local, round(PREDICT(of_time, at), 3) AS at,
  round(PREDICT(of_local, day), 3) AS l_day, round(PREDICT(of_local, local), 3) AS l_local, round(PREDICT(of_local, at), 3) AS l_at,
  PREDICT(of_time, day) = PREDICT(of_time, CAST(day AS TIMESTAMP)) AND PREDICT(of_local, at) = PREDICT(of_local, CAST(at AS TIMESTAMP_NTZ)) AS as_cast
FROM VALUES (DATE'1970-01-03', TIMESTAMP_NTZ'1970-01-03 00:00:00', timestamp_seconds(172800)) v(day, local, at);
SET spark.sql.session.timeZone = UTC;
SELECT round(PREDICT(of_time, day), 3) AS day, round(PREDICT(of_time, local), 3) AS local, round(PREDICT(of_time, at), 3) AS at,
  round(PREDICT(of_local, day), 3) AS l_day, round(PREDICT(of_local, local), 3) AS l_local, round(PREDICT(of_local, at), 3) AS l_at,
  PREDICT(of_time, day) = PREDICT(of_time, CAST(day AS TIMESTAMP)) AND PREDICT(of_local, at) = PREDICT(of_local, CAST(at AS TIMESTAMP_NTZ)) AS as_cast
FROM VALUES (DATE'1970-01-03', TIMESTAMP_NTZ'1970-01-03 00:00:00', timestamp_seconds(172800)) v(day, local, at);
TRAIN MODEL of_day USING sklearn.linear_regression TARGET y FEATURES (day) OPTIONS (test_fraction = 0, task = 'regression') AS SELECT * FROM padded;
SELECT PREDICT(of_day, at) FROM padded;
SELECT PREDICT(of_day, CAST(at AS DATE)) = PREDICT(of_day, DATE'1970-01-01') AS the_same FROM padded ORDER BY at LIMIT 1;
SET spark.sqlml.engine = auto;
DROP VIEW asked_char;
DROP VIEW asked_collated;
DROP TABLE beside_collated;
DROP TABLE collated;
DROP TABLE padded;
DROP MODEL of_char;
DROP MODEL of_string;
DROP MODEL of_comparison;
DROP MODEL says_char;
DROP MODEL of_collated;
DROP MODEL says_collated;
DROP MODEL again;
DROP MODEL near;
DROP MODEL of_time;
DROP MODEL of_local;
DROP MODEL of_day;
