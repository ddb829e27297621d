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
-- Puts a model's predictions beside the columns of a table, a view, or a query in parentheses.
TRAIN MODEL leavers USING sklearn.decision_tree TARGET churned FEATURES (age, monthly_charges, plan)
  OPTIONS (max_depth = 4)
  AS SELECT 18 + id % 60 AS age, 20.0D + id % 70 AS monthly_charges, IF(id % 3 = 0, 'basic', 'plus') AS plan,
    IF(id % 3 = 0 AND id % 60 < 30, 'yes', 'no') AS churned FROM range(200);
CREATE OR REPLACE VIEW clients AS
  SELECT id AS client_no, 18 + id % 60 AS cust_age, 20.0D + id % 70 AS monthlyChargesUsd, IF(id % 3 = 0, 'BASIC', 'PLUS') AS tariff
  FROM range(50);

-- What feeds each feature: an expression of MAP; else the column of the same name; else one whose name is the same in
-- another spelling: camelCase and snake_case, plurals, abbreviations (qty, amt, cust), prefixes that say where a column
-- is from (dim_, tbl_, the table's own name), a unit that only one has (_usd, _km, _pct). How alike two names are is a
-- number up to 1. From 0.9 on, with no other column within 0.03, a similar name is taken, and shown as such. Of 84 pairs
-- of names that mean the same that takes 98 %, and of 107 pairs that do not (start_date and end_date, latitude and
-- altitude, price_usd and price_eur) none; the highest of those has 0.87. Types convert as in PREDICT: a text never
-- feeds a number by itself. Below the threshold SHOW MAP shows candidates, and everything else is an error that lists
-- them, with a MAP clause to paste. Two features never share a column that MAP does not give to both.
ENRICH TABLE clients WITH MODEL leavers SHOW MAP;

-- The SELECT, to run or to edit. MAP takes any expression of Spark's over one row of the source.
ENRICH TABLE clients AS c WITH MODEL leavers MAP (plan = lower(c.tariff)) SHOW SQL;

-- A view follows the model: what names no version is whatever version is newest, or has the alias, when it is read.
-- Its columns have comments, and with PROVENANCE each row says which version has scored it, and when.
ENRICH TABLE clients WITH MODEL leavers MAP (plan = lower(tariff)) CREATE OR REPLACE VIEW leaving WITH PROVENANCE;
SELECT client_no, predicted_churned, provenance.version FROM leaving LIMIT 3;

-- OUTPUT chooses the columns, by the names that the table forms of PREDICT know: `prediction` (predicted_<target>,
-- which is there without OUTPUT), `probability('yes')` or probability_yes, `probabilities` as a map,
-- predicted_<target>_probs with the most probable label first, and `score`, of two labels the probability of the second.
-- A model of several outputs has those by name. AS names a column, a type casts it: T-SQL's as in its
-- own form of PREDICT (FLOAT is DOUBLE, NVARCHAR(20) a STRING, BIT a BOOLEAN), and Spark's. Probabilities take another run of
-- the model, so they are not there unless asked for.
ENRICH TABLE clients WITH MODEL leavers VERSION 1 MAP (plan = lower(tariff))
  OUTPUT (prediction AS leaves, probability('yes') AS how_likely DECIMAL(5, 3), predicted_churned_probs)
  CREATE TABLE scored USING parquet;
SELECT client_no, leaves, how_likely FROM scored LIMIT 3;

-- INSERT INTO goes by the names of columns; a catalog without CREATE OR REPLACE TABLE has the new table written beside
-- the old one, which then goes. A table may be another catalog's, `shop.sales.scored`. A database behind JDBC keeps
-- neither views, functions and structs nor properties: a view over its tables belongs to spark_catalog.
ENRICH TABLE (SELECT * FROM clients WHERE client_no < 5) WITH MODEL leavers VERSION 1 MAP (plan = lower(tariff))
  OUTPUT (prediction AS leaves) INSERT INTO scored;

-- A function of the columns that feed the features. With several outputs, or with PROVENANCE, it returns a struct. It
-- is kept by the catalog (a session without a metastore has it to its end), or is TEMPORARY.
ENRICH TABLE clients AS c WITH MODEL leavers MAP (plan = lower(c.tariff)) CREATE OR REPLACE FUNCTION leaves;
SELECT client_no, leaves(cust_age, monthlyChargesUsd, tariff) AS leaves FROM clients LIMIT 3;

-- It takes the right to PREDICT with the model, and Spark's own rights for the rest. The audit log tells of all that is
-- made. The row that comes back: what was made, from which version, the rows that were written, what feeds the features,
-- what to look at, and the SQL that Spark ran.
SHOW ENRICHMENTS;

DROP FUNCTION leaves;
DROP TABLE scored;
DROP VIEW leaving;
DROP VIEW clients;
DROP MODEL leavers;
