-- SHOW ENRICHMENTS [LIKE 'pattern']
--
-- One row per view, table, function and insert that ENRICH TABLE has made, by name. In the pattern, which is for the
-- full name, `*` stands for any characters and `|` separates alternatives.
--
-- `version` is the model's when it was made. `follows`: whether it scores with whatever version the model, or its
-- alias, has at the time; what was written to a table stays as it was. `is_newest`: whether what it says is the newest
-- version's word; NULL where the model is gone or has another name now. `exists`: whether the object is there and still
-- the one that ENRICH made; NULL where the user may not see that. Temporary objects are not listed.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);
ENRICH TABLE (SELECT id AS x FROM range(5)) WITH MODEL line CREATE VIEW on_the_line;
ENRICH TABLE (SELECT id AS x FROM range(5)) WITH MODEL line CREATE TABLE of_today;

-- Version 2 comes: the view follows, the table is what version 1 said.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 3.0D * id AS y FROM range(40);
SHOW ENRICHMENTS LIKE '*.default.*';

-- The same as a table, for joins, without `exists`: each is one of a catalog that cannot be asked from within another.
SELECT name, kind, model, version, newest_version FROM sqlml.enrichments WHERE NOT is_newest;

-- What is remembered stays when the view is dropped, or the model.
DROP VIEW on_the_line;
SHOW ENRICHMENTS LIKE '*.on_the_line';
DROP TABLE of_today;
DROP MODEL line;
