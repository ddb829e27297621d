-- ALTER MODEL, SHOW MODEL VERSIONS with aliases and tags.
CREATE OR REPLACE TEMPORARY VIEW altered AS SELECT id AS x, id * 2.0D AS y FROM range(40);
TRAIN MODEL al.ter USING sklearn.linear_regression TARGET y TAGS ('team' = 'growth') AS SELECT * FROM altered;
TRAIN MODEL al.ter USING sklearn.linear_regression TARGET y AS SELECT x, -y AS y FROM altered;

ALTER MODEL al.ter SET ALIAS champion = VERSION 1;
SELECT round(PREDICT('al.ter@champion', 4), 6) AS y;
ALTER MODEL al.ter SET ALIAS champion = VERSION 2 IF r2 >= 0.9 AND rmse < 1;
SELECT round(PREDICT('al.ter@champion', 4), 6) AS y;
-- !keep Version 1 of model al.ter does not meet the condition: r2 is [01.9]+, not < 0.5; rmse is .*, not > 1000
ALTER MODEL al.ter SET ALIAS champion = VERSION 1 IF mae < 1 AND r2 < 0.5
  AND rmse > 1000;
ALTER MODEL al.ter SET ALIAS champion = VERSION 1 IF roc_auc > 0.8;
ALTER MODEL al.ter SET ALIAS champion = VERSION 3;
DROP MODEL al.ter VERSION 2;

ALTER MODEL al.ter SET COMMENT 'it''s linear';
ALTER MODEL al.ter VERSION 2 SET COMMENT 'falls';
ALTER MODEL al.ter SET TAGS ('team' = 'sales', 'ticket' = 12);
ALTER MODEL al.ter VERSION 1 SET TAGS ('team' = 'ops');
ALTER MODEL al.ter UNSET TAGS ('ticket', 'none');
ALTER MODEL al.ter UNSET TAGS IF EXISTS ('ticket', 'none');
ALTER MODEL al.ter VERSION 1 SET TAGS ('sqlml.digest' = '0');
ALTER MODEL al.ter VERSION 1 SET TAGS ('SQLML.digest' = '0');
ALTER MODEL al.ter VERSION 1 UNSET TAGS ('sqlml.digest');
ALTER MODEL al.ter VERSION 1 UNSET TAGS ('Mlflow.user');

CREATE OR REPLACE TEMPORARY VIEW of_champion AS SELECT round(PREDICT('al.ter@champion', x), 6) AS y FROM altered;
ALTER MODEL al.ter RENAME TO al.tered;
SHOW MODEL VERSIONS al.tered;
-- !keep There is no model al.ter. It was renamed to al.tered.
SELECT * FROM of_champion;
ALTER MODEL al.tered RENAME TO al.tered;
ALTER MODEL IF EXISTS al.ter SET COMMENT 'gone';
ALTER MODEL al.tered UNSET ALIAS challenger;
ALTER MODEL al.tered UNSET ALIAS IF EXISTS challenger;
ALTER MODEL al.tered UNSET ALIAS champion;
DROP MODEL al.tered VERSION 2;
-- !keep (?:model|version|team)\t.*
DESCRIBE MODEL al.tered;
DROP MODEL al.tered;
DROP VIEW of_champion;
DROP VIEW altered;
