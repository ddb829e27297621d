-- BigQuery ML's spelling of CREATE MODEL, and what it is here.
-- !file-only pyspark
-- !include sql/data/customers.sql
-- !include sql/data/houses.sql
CREATE MODEL bq OPTIONS (model_type = 'LOGISTIC_REG', input_label_cols = ['churned'], data_split_method = 'NO_SPLIT', l2_reg = 0.5, max_iterations = 200) AS SELECT age, plan, monthly, churned FROM customers;
CREATE OR REPLACE MODEL bq OPTIONS (model_type = 'logistic_reg', auto_class_weights = TRUE) AS SELECT age, plan, monthly, churned AS label FROM customers;
CREATE OR REPLACE MODEL bq OPTIONS (model_type = 'logistic_reg', input_label_cols = ['churned'], class_weights = [STRUCT('yes', 3), STRUCT('no', 1)], data_split_method = 'SEQ', data_split_col = 'since', data_split_eval_fraction = 0.25) AS SELECT age, plan, since, churned FROM customers;
CREATE OR REPLACE MODEL bq OPTIONS (model_type = 'random_forest_classifier', input_label_cols = ['churned'], num_parallel_tree = 10, max_tree_depth = hparam_range(2, 6), num_trials = 4, hparam_tuning_objectives = ['ROC_AUC']) AS SELECT age, plan, monthly, churned FROM customers;
CREATE OR REPLACE MODEL bq OPTIONS (model_type = 'boosted_tree_classifier', input_label_cols = ['churned'], booster_type = 'GBTREE', max_iterations = 10, learn_rate = 0.3, l2_reg = 1.0) AS SELECT age, plan, monthly, churned FROM customers;
CREATE OR REPLACE MODEL bq OPTIONS (model_type = 'dnn_classifier', input_label_cols = ['churned'], hidden_units = [8, 4], activation_fn = 'TANH', max_iterations = 50) AS SELECT age, plan, monthly, churned FROM customers;
CREATE MODEL bq_price OPTIONS (model_type = 'linear_reg', input_label_cols = ['price']) AS SELECT area, rooms, city, price FROM houses;
CREATE OR REPLACE MODEL bq_price OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], l2_reg = 1.0) AS SELECT area, rooms, city, price FROM houses;
CREATE OR REPLACE MODEL bq_price OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], l1_reg = 1.0, l2_reg = 0) AS SELECT area, rooms, city, price FROM houses;
CREATE OR REPLACE MODEL bq_price OPTIONS (model_type = 'kmeans', num_clusters = 3, kmeans_init_method = 'RANDOM') AS SELECT area, rooms, city FROM houses;
SHOW MODELS LIKE 'bq*';
SELECT count(PREDICT('bq/5', *)) AS scored FROM customers;

-- What has no counterpart says so.
CREATE MODEL bad OPTIONS (model_type = 'arima_plus') AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], optimize_strategy = 'NORMAL_EQUATION') AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'linear_reg', input_label_cols = ['price', 'area']) AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'linear_reg') AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], l1_reg = 1.0, l2_reg = 3.0) AS SELECT area, price FROM houses;
CREATE MODEL bad USING ridge OPTIONS (model_type = 'linear_reg') AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'logistic_reg', input_label_cols = ['churned'], l1_reg = 0.5) AS SELECT age, churned FROM customers;
CREATE MODEL bad OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], data_split_eval_fraction = 0.3, test_fraction = 0.2) AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'random_forest_regressor', input_label_cols = ['price'], max_tree_depth = 3, max_depth = 4) AS SELECT area, price FROM houses;
CREATE MODEL bad OPTIONS (model_type = 'random_forest_regressor', input_label_cols = ['price'], num_parallel_tree = 3, max_tree_depth = -1) AS SELECT area, price FROM houses;
DROP MODEL bq;
DROP MODEL bq_price;
