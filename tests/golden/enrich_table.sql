-- ENRICH TABLE: a model's predictions beside a table's columns.
-- !include sql/data/customers.sql
TRAIN MODEL enriched.leavers USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 4) AS SELECT * FROM customers;
CREATE OR REPLACE VIEW clients AS SELECT id AS client_no, age AS CustomerAge, plan AS plan_name, monthly AS monthly_usd, since FROM customers;
DROP TABLE IF EXISTS scored;
DROP VIEW IF EXISTS leaving;
DROP FUNCTION IF EXISTS leaves;

-- What would feed the model, and how certain that is.
ENRICH TABLE clients WITH MODEL enriched.leavers SHOW MAP;
ENRICH TABLE clients WITH MODEL enriched.leavers SHOW SQL;
-- !only pyspark spark-sql pyhive connect
ENRICH TABLE clients AS c WITH MODEL enriched.leavers MAP (plan = lower(c.plan_name), age = c.CustomerAge + 0) OUTPUT (prediction AS leaves, probability('yes') AS p_yes DECIMAL(4, 2), predicted_churned_probs) SHOW SQL WITH PROVENANCE;

-- A view, with comments; the numbers are those of PREDICT.
-- !keep ^view\tspark_catalog.default.leaving\tenriched.leavers\t1\tenriched.leavers\tNULL
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) CREATE VIEW leaving WITH PROVENANCE;
SELECT count(*) AS rows, count_if(l.predicted_churned = PREDICT(enriched.leavers, c.*)) AS same, count(DISTINCT l.provenance.digest) AS digests FROM leaving l JOIN customers c ON c.id = l.client_no;
-- !only pyspark connect
DESCRIBE leaving;
-- !keep TABLE_OR_VIEW_ALREADY_EXISTS
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) CREATE VIEW leaving;
-- !keep ^view\t
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) CREATE OR REPLACE VIEW leaving WITH PROVENANCE;

-- The view follows the model, and tells which version has scored.
TRAIN MODEL enriched.leavers USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly) OPTIONS (max_depth = 1) AS SELECT * FROM customers;
SELECT DISTINCT provenance.model, provenance.version, provenance.scored_at IS NOT NULL AS dated FROM leaving;

-- Tables, by name; functions of the columns. The probabilities are those of PREDICT_PROBA.
-- !keep ^table\tspark_catalog.default.scored\tenriched.leavers\t1\tenriched.leavers/1\t\d+
ENRICH TABLE clients WITH MODEL enriched.leavers VERSION 1 MAP (plan = plan_name) CREATE TABLE scored USING parquet;
-- !keep ^table\tspark_catalog.default.scored\tenriched.leavers\t1\tenriched.leavers/1\t\d+
ENRICH TABLE clients WITH MODEL enriched.leavers VERSION 1 MAP (plan = plan_name) OUTPUT (prediction AS leaves, probability_yes AS p_yes, predicted_churned_probs AS ranked, probabilities AS p) CREATE OR REPLACE TABLE scored USING parquet;
SELECT count_if(s.leaves = PREDICT('enriched.leavers/1', c.*)) AS same, count_if(map_entries(s.p) = map_entries(PREDICT_PROBA('enriched.leavers/1', c.*))) AS map, count_if(s.p_yes = s.p['yes']) AS yes, count_if(s.ranked[0].prob >= s.ranked[1].prob AND s.ranked[0].prob = greatest(s.p['yes'], s.p['no']) AND s.p[s.ranked[1].label] = s.ranked[1].prob) AS ranked FROM scored s JOIN customers c ON c.id = s.client_no;
-- !keep ^insert\tspark_catalog.default.scored\tenriched.leavers\t1\tenriched.leavers/1\t\d+
ENRICH TABLE (SELECT * FROM clients WHERE client_no < 10) AS c WITH MODEL enriched.leavers VERSION 1 MAP (plan = c.plan_name) OUTPUT (prediction AS leaves) INSERT INTO scored;
SELECT count(*) AS rows, count(DISTINCT client_no) AS clients, count(p) AS probabilities FROM scored;
-- !keep ^function\tspark_catalog.default.leaves
ENRICH TABLE clients AS c WITH MODEL enriched.leavers VERSION 1 MAP (plan = lower(c.plan_name)) CREATE FUNCTION leaves;
SELECT count_if(leaves(CustomerAge, plan_name, monthly_usd) = PREDICT('enriched.leavers/1', age => CustomerAge, plan => plan_name, monthly => monthly_usd)) AS same FROM clients;

-- What is refused, and where.
ENRICH TABLE (SELECT age AS years, plan, monthly AS monthly_old FROM customers) WITH MODEL enriched.leavers SHOW SQL;
ENRICH TABLE (SELECT plan AS age, plan, monthly FROM customers) WITH MODEL enriched.leavers SHOW SQL;
-- !keep TABLE_OR_VIEW_NOT_FOUND
ENRICH TABLE no_clients WITH MODEL enriched.leavers SHOW SQL;
ENRICH TABLE (DROP VIEW clients) WITH MODEL enriched.leavers SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leaver SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plans = plan_name) SHOW SQL;
-- !keep UNRESOLVED_COLUMN
ENRICH TABLE clients WITH MODEL enriched.leavers
  MAP (age = CustomerAge,
       plan = lower(plan_names)) SHOW SQL;
-- !keep MISSING_GROUP_BY
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (age = max(CustomerAge)) SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (age = plan_name) SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) OUTPUT (propability('yes')) SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) OUTPUT (probability('maybe')) SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) OUTPUT (prediction DUBLE) SHOW SQL;
ENRICH TABLE clients WITH MODEL enriched.leavers MAP (plan = plan_name) OUTPUT (prediction AS since) SHOW SQL;

DROP VIEW leaving;
DROP TABLE scored;
DROP FUNCTION leaves;
DROP VIEW clients;
DROP MODEL enriched.leavers;
