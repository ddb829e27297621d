-- DROP MODEL
--
-- Drops a model with all its versions, or one version. The MLflow runs of the trainings are kept. A running query
-- continues with the version that it started with. A version that has an alias cannot be dropped alone. Use ALTER MODEL
-- first to point the alias at another version, or to remove it. `warnings` in the result names the views and functions
-- of ENRICH TABLE that use the dropped model or version, and says whether they will fail or use another version.
--
--   DROP MODEL [IF EXISTS] name [VERSION n]
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, price FROM houses;

-- Drops version 1 and keeps version 2.
DROP MODEL prices VERSION 1;

-- Drops the whole model. The result has a warning about the view that uses it.
ENRICH TABLE houses WITH MODEL prices CREATE OR REPLACE VIEW priced_houses;
DROP MODEL prices;
DROP VIEW priced_houses;

-- If the model does not exist, there is no error and no row.
DROP MODEL IF EXISTS prices;
