-- SHOW CREATE MODEL
--
-- Shows the statement that trains a version again. The same rows give the same model. The statement contains the values
-- of defaults and the results of searches. Comment and tags are the current ones.
--
--   SHOW CREATE MODEL name [VERSION n | ALIAS alias]
-- !include sql/data/houses.sql
TRAIN MODEL prices COMMENT 'Asking prices' TARGET price AS SELECT area, rooms, price FROM houses;

-- The statement has the estimator with its library, the task, the share of held-out rows, and the seed.
SHOW CREATE MODEL prices;
SHOW CREATE MODEL prices VERSION 1;

DROP MODEL prices;
