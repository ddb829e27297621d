-- TRAIN MODEL: every clause, both engines, classification and regression, versions.
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql

-- Without USING: gradient boosting. The task follows from the target: a text is a class.
TRAIN MODEL train_default TARGET churned AS SELECT * FROM customers;

-- Every clause once, in an order of the user's own.
TRAIN MODEL train_tree
  OPTIONS (max_depth = 3, seed = 7, test_fraction = 0.25)
  COMMENT 'Who leaves?'
  TARGET churned
  USING sklearn.decision_tree
  FEATURES (age, plan, monthly)
  TAGS ('team' = 'retention')
AS SELECT * FROM customers;

-- The same name again is the next version; IF NOT EXISTS leaves the model alone.
TRAIN MODEL train_tree USING decision_tree TARGET churned FEATURES * EXCEPT (id, since) AS SELECT * FROM customers;
TRAIN MODEL IF NOT EXISTS train_tree USING decision_tree TARGET churned AS SELECT * FROM customers;

-- The library's own class name; lower case keywords; a comment before the statement and a semicolon's worth of it inside.
/* who leaves? */ train model train_logistic using LogisticRegression target churned options (C = 0.5)
as select age, plan, monthly, churned from customers where id < 50;

-- The query is any query: a common table expression, hints, a join.
TRAIN MODEL train_cte USING sklearn.decision_tree TARGET churned AS
WITH adults AS (SELECT /*+ REPARTITION(2) */ * FROM customers WHERE age >= 18)
SELECT a.age, b.monthly, a.churned FROM adults a JOIN customers b ON a.id = b.id ORDER BY a.id;

-- A fraction is a quantity: regression. It can be learned to the cent here.
TRAIN MODEL train_houses USING linear_regression TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;

-- An integer with few values is a class, unless the statement says otherwise.
TRAIN MODEL train_rooms USING sklearn.decision_tree TARGET rooms OPTIONS (max_depth = 3) AS SELECT area, price, rooms FROM houses;
TRAIN MODEL train_rooms USING sklearn.decision_tree TARGET rooms OPTIONS (task = 'regression', max_depth = 3)
AS SELECT area, price, rooms FROM houses;

-- A boolean is a class.
TRAIN MODEL train_paperless USING sklearn.decision_tree TARGET paperless OPTIONS (max_depth = 2)
AS SELECT id % 5 AS rest, monthly, paperless FROM customers;

-- A model that is worse than the mean on the rows that were held out, and classes of one row: it says so, and
-- DESCRIBE MODEL says it again.
TRAIN MODEL train_doubtful USING decision_tree TARGET y OPTIONS (split_column = 'late') AS
SELECT id AS x, IF(id < 9, id, -id) * 1.5D AS y, id >= 9 AS late FROM range(12);
-- !keep ^warning.*
DESCRIBE MODEL train_doubtful;
TRAIN MODEL train_single USING decision_tree TARGET y OPTIONS (test_fraction = 0) AS
SELECT id AS x, CASE id WHEN 3 THEN 'once' WHEN 8 THEN 'twice or not' ELSE 'often' END AS y FROM range(20);
TRAIN MODEL train_single USING mllib.decision_tree TARGET y OPTIONS (test_fraction = 0) AS
SELECT id AS x, CASE id WHEN 3 THEN 'once' WHEN 8 THEN 'twice or not' ELSE 'often' END AS y FROM range(20);

-- Spark's own library, distributed.
TRAIN MODEL train_mllib USING mllib.decision_tree TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;
TRAIN MODEL train_mllib_houses USING mllib.linear_regression TARGET price FEATURES (area, rooms, city) AS SELECT * FROM houses;

-- What was made, and nothing else.
SHOW MODELS LIKE 'train_*';

DROP MODEL train_default;
DROP MODEL train_tree;
DROP MODEL train_logistic;
DROP MODEL train_cte;
DROP MODEL train_houses;
DROP MODEL train_rooms;
DROP MODEL train_paperless;
DROP MODEL train_mllib;
DROP MODEL train_mllib_houses;
DROP MODEL train_doubtful;
DROP MODEL train_single;
