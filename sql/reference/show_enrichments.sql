-- SHOW ENRICHMENTS [LIKE 'pattern']
--
-- Returns one row for each view, table, function and insert that ENRICH TABLE created, by name. The pattern is for the
-- full name; in it `*` matches any characters, and `|` separates alternatives.
--
-- `version` is the version of the model at creation. `follows` is true if the object uses the current version of the
-- model or of the alias; a table keeps the predictions that were written. `is_newest` is true if the predictions are
-- those of the newest version, and NULL if the model was dropped or renamed. `exists` is true if the object still
-- exists and is the one that ENRICH TABLE created, and NULL if the user may not see that. Temporary objects are not
-- listed.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);
ENRICH TABLE (SELECT id AS x FROM range(5)) WITH MODEL line CREATE VIEW on_the_line;
ENRICH TABLE (SELECT id AS x FROM range(5)) WITH MODEL line CREATE TABLE of_today;

-- After version 2 is trained, the view follows it, and the table keeps the predictions of version 1.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 3.0D * id AS y FROM range(40);
SHOW ENRICHMENTS LIKE '*.default.*';

-- The same as a table, for joins. It has no column `exists`, because a catalog cannot look into other catalogs.
SELECT name, kind, model, version, newest_version FROM sqlml.enrichments WHERE NOT is_newest;

-- The record is kept when the view or the model is dropped.
DROP VIEW on_the_line;
SHOW ENRICHMENTS LIKE '*.on_the_line';
DROP TABLE of_today;
DROP MODEL line;
