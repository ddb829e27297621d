-- Values from elsewhere, and statements inside of Spark's SQL scripts.
DECLARE OR REPLACE VARIABLE most BIGINT DEFAULT 100;
EXECUTE IMMEDIATE 'TRAIN MODEL IDENTIFIER(:m) USING linear_regression TARGET y OPTIONS (test_fraction = :f, seed = :s)
  AS SELECT id AS x, 2.0D * id AS y FROM range(200) WHERE id < :most' USING 'given' AS m, 0.0D AS f, 7 AS s, most;
-- The values are in what the registry keeps, so that RETRAIN needs none.
SHOW CREATE MODEL given;
EXECUTE IMMEDIATE 'ALTER MODEL given SET COMMENT ?' USING 'it''s twice';
EXECUTE IMMEDIATE 'SELECT name, comment FROM sqlml.models WHERE IDENTIFIER(:column) = :m AND round(PREDICT(:m, 3), 6) = 6' USING 'name' AS column, 'given' AS m;
EXECUTE IMMEDIATE 'DROP MODEL IDENTIFIER(:n)' USING 'given' AS m;
EXECUTE IMMEDIATE 'TRAIN MODEL given USING linear_regression TARGET y OPTIONS (seed = ?)
  AS SELECT id AS x, nothing AS y FROM range(?)' USING 7, 100;

-- Scripts, whose semicolons stand inside of lines here.
-- !only pyspark pyhive connect
BEGIN DECLARE n BIGINT DEFAULT 40; DECLARE caught STRING DEFAULT 'caught:'; -- two variables
  WHILE n < 42 DO TRAIN MODEL scripted USING linear_regression TARGET y OPTIONS (test_fraction = 0)
    AS SELECT id AS x, 2.0D * id AS y FROM range(99) WHERE id < n; SET n = n + 1; END WHILE; -- twice
  BEGIN DECLARE EXIT HANDLER FOR SQLML_ESTIMATOR_NOT_FOUND SET caught = caught || ' no estimator'; -- not this one
    DECLARE EXIT HANDLER FOR SQLML_MODEL_NOT_FOUND BEGIN SET caught = caught || ' no model'; DROP MODEL IF EXISTS nobodys; END; -- this
    IF n = 42 THEN DROP MODEL nobodys; ELSE SHOW MODELS; END IF; END; -- caught
  SELECT n, caught, round(PREDICT(scripted, 3L), 6) AS six, version FROM sqlml.model_versions WHERE model = 'scripted' ORDER BY version; END;
-- !only pyspark pyhive connect
BEGIN DECLARE n INT DEFAULT 0; WHILE PREDICT(scripted, n) < 4 DO SET n = n + 1; END WHILE; -- 2
  IF PREDICT(scripted, n) > 100 THEN SELECT 'much' AS how; ELSEIF PREDICT(scripted, n) > 3 THEN SELECT n AS how; END IF; END;
-- !only pyspark pyhive connect
BEGIN DECLARE EXIT HANDLER FOR SQLSTATE '42704' SELECT 'there is none' AS answer; SELECT PREDICT(nobodys, 1); END;
-- !only pyspark pyhive connect
BEGIN DECLARE n INT DEFAULT 3; TRAIN MODEL scripted TARGET y
  AS SELECT id AS x, nothing AS y FROM range(9) WHERE id < n; END;
-- !only pyspark pyhive connect
BEGIN SELECT 1; TRAIN MODEL scripted TARGTE y AS SELECT 1; END;
-- !only pyspark pyhive connect
-- !keep There is no model scripted\.
BEGIN DROP MODEL scripted; DROP MODEL scripted; END;
DROP MODEL given;
DROP TEMPORARY VARIABLE most;
