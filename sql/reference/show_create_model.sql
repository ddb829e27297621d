-- SHOW CREATE MODEL
--
-- Shows the statement that trains a version again. The same rows give the same model. The statement contains the values
-- of defaults and the results of searches. Comment and tags are the current ones.
--
--   SHOW CREATE MODEL name [VERSION n | ALIAS alias] [WITH VERSIONS]
-- !include sql/data/houses.sql
TRAIN MODEL prices COMMENT 'Asking prices' TARGET price AS SELECT area, rooms, price FROM houses;

-- The statement has the estimator with its library, the task, the share of held-out rows, and the seed.
SHOW CREATE MODEL prices;
SHOW CREATE MODEL prices VERSION 1;

-- WITH VERSIONS adds VERSION AS OF to tables of Delta and Iceberg, with the version that the model was trained on, so
-- that the statement reads the same rows. Comments in front name the tables and views that are read as they are now.
SHOW CREATE MODEL prices WITH VERSIONS;

DROP MODEL prices;
