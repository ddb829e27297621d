-- SHOW ENRICHMENTS: what was made, from which version, and whether that is still the newest.
TRAIN MODEL shown.line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);
DROP VIEW IF EXISTS shown_line;
DROP TABLE IF EXISTS shown_rows;
DROP FUNCTION IF EXISTS shown_line_of;
-- !keep ^view
ENRICH TABLE (SELECT id AS x FROM range(3)) WITH MODEL shown.line CREATE VIEW shown_line;
-- !keep ^table.*?/1\t3
ENRICH TABLE (SELECT id AS x FROM range(3)) WITH MODEL shown.line VERSION 1 CREATE TABLE shown_rows;
-- !keep ^insert.*?line\t3
ENRICH TABLE (SELECT id AS x FROM range(3)) WITH MODEL shown.line INSERT INTO shown_rows;
-- !keep ^function
ENRICH TABLE (SELECT id AS x FROM range(3)) WITH MODEL shown.line CREATE FUNCTION shown_line_of;
-- !keep ^temporary view\tshown_temporary
ENRICH TABLE (SELECT id AS x FROM range(3)) WITH MODEL shown.line CREATE OR REPLACE TEMPORARY VIEW shown_temporary;
SELECT count(*) AS rows, round(sum(predicted_y), 6) AS total, round(max(shown_line_of(2L)), 6) AS two FROM shown_rows;
-- !keep ^[\w.]+\t\w+\tthe query\t.*?(?=\t<masked>)|\w+$
SHOW ENRICHMENTS LIKE '*.shown_*';

-- The view and the function follow the model; what was written stays as it was.
TRAIN MODEL shown.line USING linear_regression TARGET y AS SELECT id AS x, 3.0D * id AS y FROM range(40);
SELECT round(sum(predicted_y), 6) AS total FROM shown_line;
DROP FUNCTION shown_line_of;
CREATE OR REPLACE VIEW shown_line AS SELECT 1 AS somebody_elses;
-- !keep ^[\w.]+\t\w+\tthe query\t.*?(?=\t<masked>)|\w+$
SHOW ENRICHMENTS LIKE '*.shown_*';

-- Under another name, and when it is gone.
ALTER MODEL shown.line RENAME TO shown.curve;
SELECT name, kind, model, version, reference, newest_version, is_newest, follows FROM sqlml.enrichments WHERE name LIKE '%.shown%' ORDER BY name, kind;
DROP MODEL shown.curve;
SELECT name, kind, model, version, reference, newest_version, is_newest, follows FROM sqlml.enrichments WHERE name LIKE '%.shown%' ORDER BY name, kind;
DROP VIEW shown_line;
DROP TABLE shown_rows;
