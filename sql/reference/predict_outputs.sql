-- PREDICT_OUTPUTS, and the names of a model's outputs
--
--   PREDICT_OUTPUTS(model, outputs, …)  returns a STRUCT of outputs from one run of the model; the features as in PREDICT
--
-- The table forms of PREDICT (predict.sql) are rewritten to this function, and SHOW CREATE TABLE of a view over one of
-- them shows it. The model is a string, not a bare name. `outputs` is a JSON object:
--
--   '{}'                                  all outputs, with these names:
--       predicted_<target>                      for a classifier or a regression
--       predicted_<target>_probs                for a classifier with probabilities: ARRAY<STRUCT<label, prob>>, the most
--                                               probable label first; equal ones are in the order of the labels
--       predicted_<output>                      for a model with several numbers, one for each number
--       CENTROID_ID                             for clusters: the number that PREDICT returns, from 0 (in BigQuery from 1)
--       principal_component_1, …                for dimensionality reduction
--       is_anomaly                              for anomaly detection
--   '{"threshold": 0.7}'                  the same; of two labels, the second is predicted if its probability is higher
--                                         than the threshold
--   '{"columns": {"name": "type", …}}'    the named outputs. A name, in any case, is one of
--       prediction, label, <target>, predicted_<target>     the result of PREDICT
--       score, probability                      with two labels, the probability of the second (in the order of DESCRIBE
--                                               MODEL); with more labels, the largest probability; for a regression, the
--                                               prediction
--       probability_<label>                     the probability of the label
--       probabilities                           MAP<label, DOUBLE>
--       <output>, predicted_<output>            for a model with several numbers, one of them
--     or one of the names above. A single column can have any name; it is the prediction. The types are only checked;
--     the caller casts the values.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;

SELECT id, PREDICT_OUTPUTS('leavers', '{}', *) AS outputs FROM customers ORDER BY id LIMIT 3;
SELECT id, PREDICT_OUTPUTS('leavers', '{"columns": {"label": "string", "score": "double"}}', *).score AS risk FROM customers ORDER BY risk DESC, id LIMIT 3;
SELECT count_if(PREDICT_OUTPUTS('leavers', '{"threshold": 0.3}', *).predicted_churned = 'yes') AS worth_a_call FROM customers;

DROP MODEL leavers;
