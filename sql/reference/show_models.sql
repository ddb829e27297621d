-- SHOW MODELS
--
-- Returns one row for each registered model, by name: its number of versions, its newest version, and the target of
-- that version.
--
--   SHOW MODELS [LIKE 'pattern']
-- !include sql/data/houses.sql
TRAIN MODEL prices COMMENT 'Asking prices' USING linear_regression TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL price.by_room USING linear_regression TARGET price AS SELECT rooms, price FROM houses;

SHOW MODELS;

-- In a pattern `*` matches any characters, `|` separates alternatives, and case does not matter.
SHOW MODELS LIKE 'price*';
SHOW MODELS LIKE 'PRICES|churn';

DROP MODEL prices;
DROP MODEL price.by_room;
