-- Plain Spark at every door: the runner and the doors themselves are right.
SELECT 1 AS a, NULL AS b, 'x;y' AS c;
SELECT map('a', 1.0D, 'b', NULL) AS m, true AS t, 1.0D AS d, 1e-7D AS e, 1.1F AS f, timestamp'2024-01-01 00:00:00' AS ts,
  date'2024-01-01' AS dd, 1.50BD AS de, struct(1 AS x, 'q' AS y) AS s, array('a', NULL) AS r;
SELECT nope
  FROM (SELECT 1 AS b);
SELEC 1;
SELECT raise_error('boom');
CREATE OR REPLACE TEMPORARY VIEW two AS SELECT id, id * 0.5D AS half FROM range(3);
SELECT * FROM two ORDER BY id;
SELECT * FROM two WHERE id > 10;
-- !keep Range \(0, 3
EXPLAIN SELECT * FROM two;
-- !only pyspark pyhive connect
SELECT 1; SELECT 2;
