-- PREDICT is an expression: everywhere an expression can stand.
-- !include sql/data/customers.sql
TRAIN MODEL place USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (test_fraction = 0, max_depth = 4)
AS SELECT * FROM customers;

SELECT PREDICT(place, age, plan, monthly) AS label, count(*) AS customers FROM customers GROUP BY PREDICT(place, age, plan, monthly) ORDER BY label;
SELECT PREDICT(place, age, plan, monthly) AS label, count(*) AS customers FROM customers GROUP BY 1 ORDER BY 1;
SELECT label, count(*) AS customers FROM (SELECT PREDICT(place, *) AS label FROM customers) GROUP BY label HAVING count(*) > 20 ORDER BY label;
SELECT id FROM customers WHERE PREDICT(place, age, plan, monthly) = 'yes' AND id < 30 ORDER BY id;
SELECT count(*) AS wrong FROM customers WHERE PREDICT(place, *) <> churned;
SELECT id FROM customers WHERE id < 10 ORDER BY PREDICT(place, age, plan, monthly) DESC, id LIMIT 5;
-- Spark expands no star here, so the features are named while parsing.
SELECT id FROM customers WHERE id < 10 ORDER BY PREDICT(place, *) DESC, id LIMIT 5;
SELECT PREDICT(place, *) AS label, count(*) AS customers FROM customers GROUP BY PREDICT(place, *) ORDER BY label;
SELECT PREDICT(place, *) AS label, count(*) AS customers FROM customers GROUP BY 1 ORDER BY 1;
SELECT plan, PREDICT(place, * EXCEPT (id)) AS label, count(*) FILTER (WHERE PREDICT(place, *) = 'yes') AS leave FROM customers GROUP BY plan, 2 ORDER BY 1, 2;
SELECT plan, count(*) AS customers FROM customers GROUP BY plan HAVING count_if(PREDICT(place, *) = 'yes') > 6 ORDER BY plan;
SELECT id, row_number() OVER (PARTITION BY PREDICT(place, *) ORDER BY id) AS nth FROM customers WHERE id < 6 ORDER BY id;
SELECT PREDICT(IDENTIFIER('place'), *) AS label FROM customers WHERE id = 0;
SELECT PREDICT(place/1, *) FROM customers;
SELECT count(*) AS pairs FROM customers a JOIN VALUES ('yes') AS v(label) ON PREDICT(place, a.*) = v.label;
SELECT id FROM customers ORDER BY PREDICT(places, *);
SELECT id, CASE PREDICT(place, age, plan, monthly) WHEN 'yes' THEN 'call' ELSE 'leave alone' END AS action,
  CASE WHEN plan IS NULL THEN 'unknown' ELSE PREDICT(place, age, plan, monthly) END AS careful, upper(PREDICT(place, *)) AS loud
FROM customers WHERE id < 8 ORDER BY id;
SELECT PREDICT(place, *) AS label, count(*) AS customers FROM customers GROUP BY ALL ORDER BY ALL;
SELECT a.id, b.id AS other FROM customers a JOIN customers b
  ON PREDICT(place, a.age, a.plan, a.monthly) = b.churned AND a.id = b.id + 1 WHERE a.id < 12 ORDER BY a.id;
SELECT id FROM customers c WHERE id < 20 AND id IN (SELECT id FROM customers WHERE PREDICT(place, age, plan, monthly) = 'yes') ORDER BY id;
SELECT (SELECT max(PREDICT(place, age, plan, monthly)) FROM customers WHERE id = 0) AS scalar;
WITH scored AS (SELECT *, PREDICT(place, *) AS label FROM customers) SELECT label, min(id) AS first FROM scored GROUP BY label ORDER BY label;
SELECT id, label, count(*) OVER (PARTITION BY label) AS like_this FROM (SELECT id, PREDICT(place, *) AS label FROM customers) ORDER BY id LIMIT 3;
SELECT id, PREDICT(place, age, plan, monthly) AS label FROM customers WHERE id < 2 UNION ALL SELECT -1, PREDICT(place, 20, 'basic', 30) ORDER BY id;
SELECT count_if(PREDICT(place, *) = 'yes') AS leave, count(DISTINCT PREDICT(place, *)) AS labels FROM customers;

-- Pipes.
FROM customers |> WHERE id < 4 |> EXTEND PREDICT(place, age, plan, monthly) AS label |> SELECT id, label |> ORDER BY id;
FROM customers |> EXTEND PREDICT(place, *) AS label |> AGGREGATE count(*) AS customers GROUP BY label |> ORDER BY label;

-- Views: a temporary one, and one for ever, with a view upon it.
CREATE OR REPLACE TEMPORARY VIEW place_scored AS SELECT id, PREDICT(place, *) AS label FROM customers;
SELECT label, count(*) AS customers FROM place_scored GROUP BY label ORDER BY label;
SELECT * FROM place_scored WHERE 1 = 0;
CREATE OR REPLACE VIEW place_view AS SELECT id, PREDICT(place, age, plan, monthly) AS label FROM customers;
CREATE OR REPLACE VIEW place_view_of_view AS SELECT label, count(*) AS customers FROM place_view GROUP BY label;
SELECT * FROM place_view_of_view ORDER BY label;
CREATE OR REPLACE VIEW place_star AS SELECT id, PREDICT(place, *) AS label, PREDICT(place, age => age, plan => plan, monthly => monthly) AS same FROM customers;
SELECT * FROM place_star WHERE id < 3 ORDER BY id;

-- A view without a version in its text follows the model.
TRAIN MODEL place USING sklearn.decision_tree TARGET churned OPTIONS (test_fraction = 0, max_depth = 4)
AS SELECT age, plan, monthly, concat('not ', IF(churned = 'yes', 'no', 'yes')) AS churned FROM customers;
SELECT * FROM place_view_of_view ORDER BY label;
SELECT label, count(*) AS customers FROM place_scored GROUP BY label ORDER BY label;

-- A view keeps its columns' types: of a model that predicts texts by now the error says so.
TRAIN MODEL retyped USING linear_regression TARGET y AS SELECT id AS x, id * 2.0D AS y FROM range(50);
CREATE OR REPLACE VIEW retyped_view AS SELECT id, PREDICT(retyped, id) AS p FROM range(3);
TRAIN MODEL retyped USING decision_tree TARGET y AS SELECT id AS x, IF(id < 25, 'low', 'high') AS y FROM range(50);
SELECT p + 1 FROM retyped_view WHERE id > 0;
-- A wider number is the same number.
TRAIN MODEL retyped USING decision_tree TARGET y OPTIONS (task = 'classification') AS SELECT id AS x, IF(id < 25, 7, 8) AS y FROM range(50);
SELECT * FROM retyped_view ORDER BY id;
CREATE OR REPLACE VIEW retyped_view AS SELECT id, PREDICT(retyped, id) AS p FROM range(3);
TRAIN MODEL retyped USING decision_tree TARGET y AS SELECT id AS x, id < 25 AS y FROM range(50);
SELECT * FROM retyped_view ORDER BY id;
CREATE OR REPLACE VIEW retyped_view AS SELECT id, PREDICT(retyped, id) AS p FROM range(3);
SELECT * FROM retyped_view ORDER BY id;
DROP VIEW retyped_view;
DROP MODEL retyped;

-- Tables.
DROP TABLE IF EXISTS place_table;
CREATE TABLE place_table USING parquet AS SELECT id, PREDICT('place/1', *) AS label FROM customers WHERE id < 30;
INSERT INTO place_table SELECT id, PREDICT('place/1', *) FROM customers WHERE id >= 30;
INSERT INTO place_table (id, label) VALUES (60, 'unknown');
SELECT label, count(*) AS customers FROM place_table GROUP BY label ORDER BY label;
DESCRIBE place_table label;

DROP TABLE place_table;
DROP VIEW place_star;
DROP VIEW place_view_of_view;
DROP VIEW place_view;
DROP VIEW place_scored;
DROP MODEL place;
