-- TRANSFORM: features made of the query's columns, in training and wherever the model scores.
-- !include sql/data/customers.sql
TRAIN MODEL transformed USING sklearn.decision_tree TARGET churned
TRANSFORM (
  coalesce(age, 40) AS age,      -- a column of the query and one of the list may have one name
  monthly / (age + 1) AS rate,
  upper(plan) AS plan,
  rate * 12 AS yearly,
  year(since) * 100 + month(since) AS month
)
OPTIONS (max_depth = 3) AS SELECT * FROM customers;
DESCRIBE MODEL transformed;
-- The same numbers as of a model that was trained on the columns themselves, whatever way it is called.
CREATE OR REPLACE VIEW prepared AS SELECT *, monthly / (age + 1) AS rate, monthly / (age + 1) * 12 AS yearly, year(since) * 100 + month(since) AS `month` FROM customers;
TRAIN MODEL plain USING sklearn.decision_tree TARGET churned OPTIONS (max_depth = 3) AS
SELECT coalesce(age, 40) AS age, rate, upper(plan) AS plan, yearly, month, churned FROM prepared;
SELECT count(*) AS rows, count_if(one = two) AS equal, count_if(one = three) AS by_position, count_if(one = four) AS by_name FROM (
  SELECT PREDICT(transformed, c.*) AS one,
    PREDICT(plain, age => coalesce(age, 40), rate => rate, plan => upper(plan), yearly => yearly, month => `month`) AS two,
    PREDICT(transformed, plan, age, monthly, since) AS three,
    PREDICT(transformed, age => age, plan => plan, monthly => monthly, since => since) AS four
  FROM prepared AS c);
SELECT id, PREDICT(transformed, *) FROM customers ORDER BY PREDICT(transformed, *), id LIMIT 2;
CREATE OR REPLACE VIEW scored AS SELECT id, PREDICT(transformed, *) AS will_leave, PREDICT_PROBA(transformed, *)['yes'] > 0.5 AS likely FROM customers;
SELECT will_leave, likely, count(*) AS rows FROM scored GROUP BY ALL ORDER BY ALL;
-- A number may be of another type than in training; a NULL goes through the expressions.
SELECT PREDICT(transformed, CAST(30 AS DECIMAL(10, 2)), 'basic', 20.5, DATE'2024-01-31') = PREDICT(transformed, 30, 'basic', 20.5, DATE'2024-01-31') AS equal, PREDICT(transformed, NULL, NULL, NULL, NULL) IS NOT NULL AS answers;
-- The star; columns that options name; what the list leaves out.
TRAIN MODEL transformed USING sklearn.decision_tree TARGET churned TRANSFORM (* EXCEPT (id, since), datediff(DATE'2026-01-01', since) AS days) OPTIONS (max_depth = 2, split_column = 'id') AS SELECT * FROM customers;
SELECT count(PREDICT(transformed, *)) AS rows FROM customers;
DESCRIBE MODEL transformed;
RETRAIN MODEL transformed;
-- The time zone of the training counts, not the reader's.
SET spark.sql.session.timeZone = Asia/Tokyo;
TRAIN MODEL hours USING sklearn.decision_tree TARGET h OPTIONS (task = 'regression', test_fraction = 0) TRANSFORM (hour(moment) AS of_day, h) AS SELECT timestamp_seconds(id * 3600) AS moment, CAST(hour(timestamp_seconds(id * 3600)) AS DOUBLE) AS h FROM range(48);
SET spark.sql.session.timeZone = UTC;
SELECT PREDICT(hours, timestamp_seconds(0)) AS tokyo, hour(timestamp_seconds(0)) AS here;

-- What goes wrong.
SELECT PREDICT(transformed, age) FROM customers;
SELECT PREDICT(hours, 'noon');
TRAIN MODEL transformed TARGET churned TRANSFORM () AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned
TRANSFORM (age,
  avg(monthly) AS mean) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age, rank() OVER (ORDER BY monthly) AS place) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (explode(array(age, 1)) AS a) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age, (SELECT max(monthly) FROM customers) AS most) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age, rand() AS r) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age, PREDICT(hours, since) AS p) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age FROM customers WHERE id = 1) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age,
  aeg * 2 AS twice) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age * AS a) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (*, 2 AS plan) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (1 AS one) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (array(age) AS ages) AS SELECT * FROM customers;
TRAIN MODEL transformed TARGET churned TRANSFORM (age) FEATURES (monthly) AS SELECT * FROM customers;
DROP VIEW scored;
DROP VIEW prepared;
DROP MODEL transformed;
DROP MODEL plain;
DROP MODEL hours;
