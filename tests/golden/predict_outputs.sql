-- PREDICT_OUTPUTS, and the table forms that are made of it: names, types, ties, what is missing, what is refused.
-- !include sql/data/customers.sql
TRAIN MODEL leaving USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (test_fraction = 0, max_depth = 2)
AS SELECT * FROM customers;
CREATE OR REPLACE TEMPORARY VIEW some AS SELECT id, age, plan, monthly FROM customers WHERE id IN (0, 1, 5);

-- !keep [a-z]+|0\.\d\d|1\.0
SELECT PREDICT_OUTPUTS('leaving', '{}', *) AS outputs FROM some ORDER BY id;
SELECT PREDICT_OUTPUTS('leaving', '{"columns": {"label": "string", "Probability_No": "double"}}', age, plan, monthly) IS NULL AS nothing FROM some;
SELECT DISTINCT typeof(predicted_churned), typeof(predicted_churned_probs) FROM PREDICT('leaving', TABLE(some));
SELECT id, predicted_churned, predicted_churned_probs[0].label AS likeliest, size(predicted_churned_probs) AS labels FROM PREDICT(leaving, TABLE(some)) ORDER BY id;
-- The same as PREDICT and PREDICT_PROBA, row by row, at every threshold.
SELECT count(*) AS rows, count_if(predicted_churned = PREDICT(leaving, *)) AS same, count_if(predicted_churned_probs[0].prob = array_max(map_values(PREDICT_PROBA(leaving, *)))) AS same_prob FROM PREDICT(leaving, TABLE(customers));
SELECT count(*) AS rows, count_if((predicted_churned = 'yes') = (PREDICT_PROBA(leaving, *)['yes'] > 0.7)) AS same FROM PREDICT(MODEL => leaving, DATA => TABLE(customers), THRESHOLD => 0.7);
SELECT count(*) AS rows, count_if(p.score = p.probability_yes AND p.score = p.probabilities['yes'] AND p.score + p.probability_no = 1.0) AS same
FROM PREDICT(MODEL = leaving, DATA = customers AS d) WITH (score FLOAT, probability_yes DOUBLE, probability_no FLOAT, probabilities MAP<STRING, DOUBLE>) AS p;
-- No rows, one row, nothing known.
SELECT * FROM PREDICT(leaving, TABLE(SELECT * FROM some WHERE false));
SELECT p.* FROM PREDICT(MODEL = leaving, DATA = (SELECT CAST(NULL AS INT) AS age, CAST(NULL AS STRING) AS plan, CAST(NULL AS DOUBLE) AS monthly) AS d) WITH (label VARCHAR(3)) AS p;
-- Several, and within each other.
SELECT a.id, a.predicted_churned AS one, p.label AS other FROM PREDICT(leaving, TABLE(some)) AS a, PREDICT(MODEL = leaving, DATA = some AS d) WITH (label VARCHAR(3)) AS p WHERE a.id = d.id ORDER BY a.id;
SELECT id, p.again FROM PREDICT(MODEL = leaving, DATA = (SELECT * EXCEPT (predicted_churned_probs) FROM PREDICT('leaving/1', TABLE(some))) AS d) WITH (again VARCHAR(3)) AS p ORDER BY id;
CREATE OR REPLACE VIEW leaving_view AS SELECT * FROM PREDICT(leaving, TABLE(customers));
SELECT id, predicted_churned FROM leaving_view WHERE id = 5;
-- !keep predict_outputs\[leaving/1 \w+[^]]*\]
EXPLAIN SELECT * FROM PREDICT(leaving, TABLE(some));
-- Once for all outputs, and for a filter on them.
-- !keep predict_outputs\[leaving/1 \w+[^]]*\]
EXPLAIN SELECT * FROM PREDICT(leaving, TABLE(some)) WHERE predicted_churned = 'yes' AND id > 3;
-- !keep predict_outputs\[leaving/1 \w+[^]]*\]
EXPLAIN SELECT d.id, p.* FROM PREDICT(MODEL = leaving, DATA = some AS d) WITH (label VARCHAR(3), score FLOAT, probability_no REAL) AS p WHERE p.label = 'yes' AND p.score > 0.1;

-- What is refused, at its place.
SELECT * FROM PREDICT(leavin, TABLE(some));
SELECT * FROM PREDICT(leaving, TABLE(SELECT *, 1 AS predicted_churned FROM some));
SELECT *
  FROM PREDICT(leaving, TABLE(SELECT nothing FROM some));
SELECT * FROM PREDICT(leaving, TABLE(SELECT id FROM some));
SELECT *
FROM PREDICT(MODEL = leaving, DATA = some AS d)
  WITH (scor FLOAT, label VARCHAR(3)) AS p;
SELECT * FROM PREDICT(MODEL = leaving, DATA = some AS d) WITH (label FLOAT) AS p;
SELECT * FROM PREDICT(MODEL = leaving, DATA = some AS d) WITH (label FLOAT_) AS p;
SELECT * FROM PREDICT(MODEL = leaving, DATA = some AS d, RUNTIM = ONNX) WITH (label VARCHAR(3)) AS p;
SELECT * FROM PREDICT(MODEL = leaving, DATA = some AS d, RUNTIME = TF) WITH (label VARCHAR(3)) AS p;
SELECT * FROM PREDICT(MODEL = leaving, DATA = some AS d);
SELECT PREDICT_OUTPUTS('leaving', 'all', *) FROM some;
DROP VIEW leaving_view;
DROP MODEL leaving;
