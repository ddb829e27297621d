-- PREDICT_PROVENANCE: which version scores in a query.
TRAIN MODEL proven.line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);
CREATE OR REPLACE TEMPORARY VIEW proven AS SELECT x, round(PREDICT(proven.line, x), 6) AS y, PREDICT_PROVENANCE(proven.line) AS p FROM VALUES (1L), (2L) AS t (x);
SELECT x, y, p.model, p.version, length(p.digest) AS digits, p.scored_at = now() AS now, p.last_known_at FROM proven ORDER BY x;
TRAIN MODEL proven.line USING linear_regression TARGET y AS SELECT id AS x, 3.0D * id AS y FROM range(40);
SELECT x, y, p.version, PREDICT_PROVENANCE('proven.line/1').version AS other FROM proven ORDER BY x;
-- An alias that moves takes the version along.
ALTER MODEL proven.line SET ALIAS champion = VERSION 1;
SELECT round(PREDICT('proven.line@champion', 1L), 6) AS y, PREDICT_PROVENANCE('proven.line@champion').version;
ALTER MODEL proven.line SET ALIAS champion = VERSION 2;
SELECT round(PREDICT('proven.line@champion', 1L), 6) AS y, PREDICT_PROVENANCE('proven.line@champion').version;
SELECT PREDICT_PROVENANCE(proven.lines);
SELECT PREDICT_PROVENANCE(proven.line, 1);
DROP VIEW proven;
DROP MODEL proven.line;
