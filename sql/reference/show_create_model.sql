-- SHOW CREATE MODEL
--
-- The statement that trains a version again: the same rows give the same model. What defaults and searches have decided
-- is written out. Comment and tags are those the version has now.
--
--   SHOW CREATE MODEL name [VERSION n | ALIAS alias]
-- !include sql/data/houses.sql
TRAIN MODEL prices COMMENT 'Asking prices' TARGET price AS SELECT area, rooms, price FROM houses;

-- The estimator with its engine, the task, the share of held-out rows, the seed.
SHOW CREATE MODEL prices;
SHOW CREATE MODEL prices VERSION 1;

DROP MODEL prices;
