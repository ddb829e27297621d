-- SHOW MODEL VERSIONS
--
-- Returns one row for each version of a model, the newest first: its aliases, its estimator, its metrics and its tags.
--
--   SHOW MODEL VERSIONS name
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL prices USING decision_tree TARGET price AS SELECT area, rooms, price FROM houses;

SHOW MODEL VERSIONS prices;

DROP MODEL prices;
