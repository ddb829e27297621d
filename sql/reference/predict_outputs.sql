-- PREDICT_OUTPUTS, and the names of a model's outputs
--
--   PREDICT_OUTPUTS(model, which, …)    a STRUCT of outputs, from one run of the model; the features as PREDICT takes them
--
-- It is what the table forms of PREDICT (predict.sql) are written with, and what SHOW CREATE TABLE shows of a view over
-- one of them. The model is a text, never a bare name. `which` is a JSON object:
--
--   '{}'                                  all there is, under these names:
--       predicted_<target>                      of a classifier or a regression
--       predicted_<target>_probs                of a classifier with probabilities: ARRAY<STRUCT<label, prob>>, the most
--                                               probable first; of equal ones in the order of the labels
--       predicted_<output>                      of a model of several numbers, each
--       CENTROID_ID                             of clusters: the number PREDICT gives, from 0 (in BigQuery from 1)
--       principal_component_1, …                of a reduction of dimensions
--       is_anomaly                              of an anomaly detector
--   '{"threshold": 0.7}'                  the same; the second of two labels is said where its probability is above it
--   '{"columns": {"name": "type", …}}'    these. A name, in small letters or capitals, is one of
--       prediction, label, <target>, predicted_<target>     what PREDICT says
--       score, probability                      of two labels the probability of the second (labels are in the order of
--                                               DESCRIBE MODEL); of more the greatest; of a regression its prediction
--       probability_<label>                     that label's probability
--       probabilities                           MAP<label, DOUBLE>
--       <output>, predicted_<output>            of a model of several numbers, each
--     or one of the names above. Where one column alone is asked for, it may be called anything: it is the prediction.
--     The types are for a check; whoever asks converts.
-- !include sql/data/customers.sql
TRAIN MODEL leavers USING logistic_regression TARGET churned FEATURES (age, plan, monthly) AS SELECT * FROM customers;

SELECT id, PREDICT_OUTPUTS('leavers', '{}', *) AS outputs FROM customers ORDER BY id LIMIT 3;
SELECT id, PREDICT_OUTPUTS('leavers', '{"columns": {"label": "string", "score": "double"}}', *).score AS risk FROM customers ORDER BY risk DESC, id LIMIT 3;
SELECT count_if(PREDICT_OUTPUTS('leavers', '{"threshold": 0.3}', *).predicted_churned = 'yes') AS worth_a_call FROM customers;

DROP MODEL leavers;
