-- ENRICH TABLE source [AS alias] WITH MODEL model
--   [MAP ( feature = expression, … )]
--   [OUTPUT ( output [AS column] [type], … )]
--   { SHOW SQL | SHOW MAP
--   | CREATE [OR REPLACE] [TEMPORARY] VIEW v
--   | CREATE [OR REPLACE] TABLE t [USING format]
--   | INSERT INTO t
--   | CREATE [OR REPLACE] [TEMPORARY] FUNCTION f }
--   [WITH PROVENANCE]
--
-- Adds a model's predictions to the columns of a table, a view, or a query in parentheses.
TRAIN MODEL leavers USING sklearn.decision_tree TARGET churned FEATURES (age, monthly_charges, plan)
  OPTIONS (max_depth = 4)
  AS SELECT 18 + id % 60 AS age, 20.0D + id % 70 AS monthly_charges, IF(id % 3 = 0, 'basic', 'plus') AS plan,
    IF(id % 3 = 0 AND id % 60 < 30, 'yes', 'no') AS churned FROM range(200);
CREATE OR REPLACE VIEW clients AS
  SELECT id AS client_no, 18 + id % 60 AS cust_age, 20.0D + id % 70 AS monthlyChargesUsd, IF(id % 3 = 0, 'BASIC', 'PLUS') AS tariff
  FROM range(50);

-- A feature is fed by the first of these that exists: its expression in MAP; the column of the same name; a column
-- whose name is the same in another spelling. Spellings differ in camelCase and snake_case, plurals, abbreviations
-- (qty, amt, cust), prefixes (dim_, tbl_, the name of the table) or a unit that only one name has (_usd, _km, _pct).
-- The similarity of two names is a number up to 1. A column is matched from 0.9 on if no other column is within 0.03,
-- and the result shows the match as "similar". This matches 98 % of 84 pairs of names with the same meaning, and none
-- of 107 pairs with different meanings (start_date and end_date, latitude and altitude, price_usd and price_eur), of
-- which the most similar has 0.87. Types convert as in PREDICT, so a string never feeds a number implicitly. Below the
-- threshold, SHOW MAP shows the candidates, and all other forms fail with a list of candidates and a MAP clause to
-- copy. Two features share a column only if MAP assigns it to both.
ENRICH TABLE clients WITH MODEL leavers SHOW MAP;

-- SHOW SQL returns the SELECT, which you can run or edit. MAP takes any expression of Spark SQL over one row of the
-- source.
ENRICH TABLE clients AS c WITH MODEL leavers MAP (plan = lower(c.tariff)) SHOW SQL;

-- A view follows the model: without a version it uses the version that is the newest, or has the alias, when it is
-- read. Its columns have comments. WITH PROVENANCE adds which version scored each row, and when.
ENRICH TABLE clients WITH MODEL leavers MAP (plan = lower(tariff)) CREATE OR REPLACE VIEW leaving WITH PROVENANCE;
SELECT client_no, predicted_churned, provenance.version FROM leaving LIMIT 3;

-- OUTPUT chooses the outputs by the names of the table forms of PREDICT: `prediction` (predicted_<target>, the default
-- without OUTPUT), `probability('yes')` or probability_yes, `probabilities` as a map, predicted_<target>_probs with the
-- most probable label first, and `score`, which for two labels is the probability of the second. A model with several
-- outputs has them by name. AS renames a column, and a type casts it. Types are those of Spark, and those of T-SQL as
-- in its form of PREDICT (FLOAT is DOUBLE, NVARCHAR(20) is STRING, BIT is BOOLEAN). Probabilities need another run of
-- the model, so the default does not include them.
ENRICH TABLE clients WITH MODEL leavers VERSION 1 MAP (plan = lower(tariff))
  OUTPUT (prediction AS leaves, probability('yes') AS how_likely DECIMAL(5, 3), predicted_churned_probs)
  CREATE TABLE scored USING parquet;
SELECT client_no, leaves, how_likely FROM scored LIMIT 3;

-- INSERT INTO matches columns by name. If a catalog does not support CREATE OR REPLACE TABLE, the new table is written
-- beside the old one, which is dropped afterwards. A table can be in another catalog, `shop.sales.scored`. A database
-- behind JDBC does not support views, functions, structs or properties, so create views over its tables in
-- spark_catalog.
ENRICH TABLE (SELECT * FROM clients WHERE client_no < 5) WITH MODEL leavers VERSION 1 MAP (plan = lower(tariff))
  OUTPUT (prediction AS leaves) INSERT INTO scored;

-- A function takes the columns that feed the features. With several outputs, or with PROVENANCE, it returns a struct.
-- It is stored in the catalog (without a metastore, until the end of the session), or it is TEMPORARY.
ENRICH TABLE clients AS c WITH MODEL leavers MAP (plan = lower(c.tariff)) CREATE OR REPLACE FUNCTION leaves;
SELECT client_no, leaves(cust_age, monthlyChargesUsd, tariff) AS leaves FROM clients LIMIT 3;

-- ENRICH TABLE needs the right to PREDICT with the model, and Spark's own rights for everything else. The audit log
-- records each object that it creates. The result row has the object, the version, the number of rows that were
-- written, the columns that feed the features, warnings, and the SQL that Spark ran.
SHOW ENRICHMENTS;

DROP FUNCTION leaves;
DROP TABLE scored;
DROP VIEW leaving;
DROP VIEW clients;
DROP MODEL leavers;
