-- PREDICT_PROBA
--
-- Returns the probability of each label, as a MAP from the type of the target to DOUBLE. The arguments are those of
-- PREDICT. ML_PREDICT_PROBA is the same function. A regression has no probabilities.
--
--   PREDICT_PROBA(model, …)            the map
--   PREDICT_PROBA(model, …)['yes']     the probability of one label
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;

SELECT id, PREDICT_PROBA(leavers, *) AS chances FROM customers ORDER BY id LIMIT 3;

-- The five customers that are most likely to leave.
SELECT id, round(PREDICT_PROBA(leavers, age, plan, monthly)['yes'], 2) AS risk FROM customers ORDER BY risk DESC, id LIMIT 5;

-- Another threshold than that of the label.
SELECT count(*) AS worth_a_call FROM customers WHERE PREDICT_PROBA(leavers, age => age, plan => plan, monthly => monthly)['yes'] > 0.3;

DROP MODEL leavers;
