-- PREDICT_PROBA
--
-- The probability of each label, as a MAP from the target's type to DOUBLE. It takes the model and the features as
-- PREDICT does; ML_PREDICT_PROBA is the same function. A regression has no probabilities.
--
--   PREDICT_PROBA(model, …)            the map
--   PREDICT_PROBA(model, …)['yes']     one label's probability
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;

SELECT id, PREDICT_PROBA(leavers, *) AS chances FROM customers ORDER BY id LIMIT 3;

-- The five likeliest to leave.
SELECT id, round(PREDICT_PROBA(leavers, age, plan, monthly)['yes'], 2) AS risk FROM customers ORDER BY risk DESC, id LIMIT 5;

-- A threshold of one's own instead of the label.
SELECT count(*) AS worth_a_call FROM customers WHERE PREDICT_PROBA(leavers, age => age, plan => plan, monthly => monthly)['yes'] > 0.3;

DROP MODEL leavers;
