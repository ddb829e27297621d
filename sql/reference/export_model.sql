-- EXPORT MODEL
--
-- Writes a version of a model for other systems to use: as a file, as a folder, or as a row of a table.
--
--   EXPORT MODEL name [VERSION n | ALIAS alias]
--     { TO 'path' | INTO TABLE table }
--     [FORMAT { onnx | mlflow | sql | csv }]
--     [OPTIONS ( overwrite = true, dialect = 'postgres', table = 'customers', columns = ['id'] )]
--
-- Paths are local and lie below spark.sqlml.allowedPaths; a relative one starts at the driver's working directory. What
-- is there already is replaced only with overwrite = true, and only where it is an earlier export of the same format.
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, price FROM houses;

-- Any ONNX Runtime runs the file: each feature is an input of that name, [rows, 1], numbers in float64. Its properties
-- say what it is: sqlml.name, sqlml.version, sqlml.digest, sqlml.signature, …
EXPORT MODEL prices TO 'prices.onnx' OPTIONS (overwrite = true);

-- For mlflow.onnx.load_model, mlflow.pyfunc.load_model, or mlflow models serve.
EXPORT MODEL prices VERSION 1 TO 'prices' FORMAT mlflow OPTIONS (overwrite = true);

-- One SELECT for an engine that has never heard of the model: id, then the prediction, for each row of a table there.
EXPORT MODEL prices TO 'prices.sql' OPTIONS (dialect = 'duckdb', table = 'houses', columns = ['id'], overwrite = true);

-- For a table of models in Azure Synapse: COPY INTO Models (Model) FROM '…/prices.csv' WITH (FILE_TYPE = 'CSV').
EXPORT MODEL prices TO 'prices.csv' OPTIONS (overwrite = true);

-- A row of a table, which is created where it is missing: name, version, model BINARY, signature, digest, task,
-- estimator, description, exported.
EXPORT MODEL prices INTO TABLE models;
SELECT name, version, length(model) AS bytes, digest FROM models;

DROP TABLE models;
DROP MODEL prices;
