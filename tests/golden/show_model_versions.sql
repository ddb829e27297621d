-- SHOW MODEL VERSIONS.
CREATE OR REPLACE TEMPORARY VIEW several AS SELECT id AS x, id * 2.0D AS y FROM range(40);
TRAIN MODEL ver.sions COMMENT 'first' USING sklearn.linear_regression TARGET y TAGS ('team' = 'growth', 'a' = 1) AS SELECT * FROM several;
TRAIN MODEL ver.sions USING sklearn.decision_tree TARGET y AS SELECT * FROM several;
ALTER MODEL ver.sions SET ALIAS best = VERSION 1;
ALTER MODEL ver.sions SET ALIAS active = VERSION 1;
SHOW MODEL VERSIONS ver.sions;
SHOW MODEL VERSIONS ver.sion;
DROP MODEL ver.sions;
DROP VIEW several;
