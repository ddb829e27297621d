-- CASE, IF, COALESCE, AND, OR and FILTER guard what a call computes of its arguments, whichever engine scores.
TRAIN MODEL near3 USING k_neighbors TARGET y OPTIONS (test_fraction = 0) AS SELECT id AS a, id % 10 AS b, 3.0D * id AS y FROM range(200);
TRAIN MODEL line3 USING linear_regression TARGET y OPTIONS (test_fraction = 0) AS SELECT id AS a, id % 10 AS b, 3.0D * id AS y FROM range(200);
TRAIN MODEL day3 USING k_neighbors TARGET d OPTIONS (test_fraction = 0, task = 'classification') AS SELECT id AS a, date_from_unix_date(CAST(id % 2 AS INT)) AS d FROM range(20);
SELECT sum(CASE WHEN id <> 0 THEN PREDICT(near3, CAST(100 / id AS BIGINT), 1L) ELSE 0 END) AS case_when,
  sum(IF(id = 0, 0, PREDICT(near3, CAST(100 / id AS BIGINT), 1L))) AS if_else,
  sum(COALESCE(IF(id = 0, 0D, NULL), PREDICT(near3, CAST(100 / id AS BIGINT), 1L))) AS coalesced,
  sum(NANVL(IF(id = 0, 0D, DOUBLE('NaN')), PREDICT(near3, CAST(100 / id AS BIGINT), 1L))) AS nan_or,
  sum(PREDICT(near3, CAST(100 / id AS BIGINT), 1L)) FILTER (WHERE id <> 0) AS filtered,
  count_if(id <> 0 AND PREDICT(near3, CAST(100 / id AS BIGINT), 1L) > 50) AS both,
  count_if(id = 0 OR PREDICT(near3, CAST(100 / id AS BIGINT), 1L) > 50) AS either
FROM range(9);
SELECT round(sum(CASE WHEN id <> 0 THEN PREDICT(line3, CAST(100 / id AS BIGINT), 1L) ELSE 0 END), 6) AS compiled FROM range(9);
-- As in a query without CASE that leaves those rows out.
SELECT sum(PREDICT(near3, CAST(100 / id AS BIGINT), 1L)) AS sum, count_if(PREDICT(near3, CAST(100 / id AS BIGINT), 1L) > 50) AS above FROM range(9) WHERE id <> 0;
-- Within each other, in every clause.
SELECT id, CASE WHEN id = 0 THEN -1 WHEN id < 3 THEN CASE WHEN id = 1 THEN 1 ELSE PREDICT(near3, CAST(10 / (id - 1) AS BIGINT), id) END
  ELSE PREDICT(near3, CAST(PREDICT(near3, CAST(10 / (id - 2) AS BIGINT), 1) AS BIGINT), CAST(7 / id AS INT)) END AS p FROM range(5) ORDER BY id;
SELECT count(*) FROM range(9) WHERE CASE WHEN id <> 0 THEN PREDICT(near3, CAST(100 / id AS BIGINT), 1L) > 50 ELSE true END;
SELECT CASE WHEN id <> 0 THEN PREDICT(near3, CAST(100 / id AS BIGINT), 1L) > 50 END AS high, count(*) FROM range(9) GROUP BY ALL ORDER BY high;
SELECT count(*) FROM range(9) a JOIN range(3) b ON CASE WHEN a.id <> 0 THEN PREDICT(near3, CAST(100 / a.id AS BIGINT), b.id) > 50 END;
SELECT id FROM range(4) ORDER BY CASE WHEN id <> 0 THEN PREDICT(near3, CAST(100 / id AS BIGINT), 1L) END DESC, id;
SELECT CASE WHEN rand(7) < 2 AND id <> 0 THEN PREDICT(near3, CAST(100 / id AS BIGINT), 1L) END AS p FROM range(2) ORDER BY id;
SELECT id, try_add(PREDICT(day3, CAST(1 / id AS INT)), INTERVAL '1' DAY) AS later FROM range(2) ORDER BY id;
-- What nothing guards fails, as ever; a column as it is has no guard.
SELECT sum(PREDICT(near3, CAST(100 / id AS BIGINT), 1L)) FROM range(9);
-- !keep if \(|near3\S* \w+\]
EXPLAIN SELECT CASE WHEN id <> 0 THEN PREDICT(near3, id, 1L) END FROM range(9);
DROP MODEL near3;
DROP MODEL line3;
DROP MODEL day3;
