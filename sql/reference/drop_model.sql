-- DROP MODEL
--
-- Removes a model with all its versions, or one version. The MLflow runs that trained them stay. A query that already
-- runs goes on with the version it started with. A version that an alias points at is not dropped alone: ALTER MODEL
-- points the alias elsewhere, or unsets it. `warnings` in the result names the views and functions of ENRICH TABLE that
-- ask for what is gone, and says what becomes of them.
--
--   DROP MODEL [IF EXISTS] name [VERSION n]
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, price FROM houses;

-- Version 1 goes, version 2 stays.
DROP MODEL prices VERSION 1;

-- All of it, with a view that asks for it: it goes with a warning.
ENRICH TABLE houses WITH MODEL prices CREATE OR REPLACE VIEW priced_houses;
DROP MODEL prices;
DROP VIEW priced_houses;

-- No error, and no row, where there is nothing to drop.
DROP MODEL IF EXISTS prices;
