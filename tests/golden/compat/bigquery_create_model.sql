-- CREATE MODEL in the forms of "The CREATE MODEL statement",
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create, and ML.PREDICT on what they make.
-- !include sql/data/houses.sql
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-glm: a linear regression.
-- !keep ^\S+\t\d
CREATE MODEL `houses.price` OPTIONS (model_type = 'linear_reg', input_label_cols = ['price'], data_split_method = 'no_split')
AS SELECT area, rooms, 10.0D * area + rooms AS price FROM houses;
CREATE MODEL IF NOT EXISTS `houses.price` OPTIONS (model_type = 'linear_reg', input_label_cols = ['price']) AS SELECT * FROM houses;
SELECT id, round(predicted_price - (10 * area + rooms), 6) AS error FROM ML.PREDICT(MODEL `houses.price`, (SELECT * FROM houses WHERE id < 3)) ORDER BY id;
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-kmeans: clusters.
-- !keep ^\S+\t\d
CREATE OR REPLACE MODEL houses.kinds OPTIONS (model_type = 'kmeans', num_clusters = 2) AS SELECT area, rooms FROM houses;
SELECT count(DISTINCT CENTROID_ID) AS clusters, min(CENTROID_ID) >= 0 AS from_zero FROM ML.PREDICT(MODEL houses.kinds, TABLE houses);
SELECT * FROM ML.PREDICT(MODEL houses.kinds, (SELECT area, rooms FROM houses), STRUCT(0.5 AS threshold));
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/bigqueryml-syntax-create-pca: principal components.
-- !keep ^\S+\t\d
CREATE OR REPLACE MODEL houses.axes OPTIONS (model_type = 'pca', num_principal_components = 2) AS SELECT area, rooms FROM houses;
SELECT count(principal_component_1) AS first, count(principal_component_2) AS second FROM ML.PREDICT(MODEL houses.axes, TABLE houses);
DROP MODEL houses.axes;
DROP MODEL houses.kinds;
DROP MODEL houses.price;
