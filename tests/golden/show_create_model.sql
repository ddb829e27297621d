-- SHOW CREATE MODEL: what defaults and searches decided is written out. Beeline drops the line ends of a text.
-- !include sql/data/houses.sql
TRAIN MODEL IF NOT EXISTS made.prices COMMENT 'first' TARGET price TAGS ('team' = 'sales') AS SELECT area, rooms, price FROM houses;
CREATE OR REPLACE MODEL made.prices OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], l2_reg = 2, data_split_method = 'no_split')
AS SELECT area, rooms, price FROM houses;
ALTER MODEL made.prices VERSION 1 SET COMMENT 'it''s the first';
-- !only pyspark spark-sql pyhive connect
SHOW CREATE MODEL made.prices VERSION 1;
-- !only pyspark spark-sql pyhive connect
SHOW CREATE MODEL made.prices;
-- !only pyspark spark-sql pyhive connect
SHOW CREATE MODEL made.prices WITH VERSIONS;
SHOW CREATE MODEL made.prices ALIAS none;
DROP MODEL made.prices;
