-- EXPORT MODEL
--
-- Writes a version of a model for other systems: as a file, a folder, or a row of a table.
--
--   EXPORT MODEL name [VERSION n | ALIAS alias]
--     { TO 'path' | INTO TABLE table }
--     [FORMAT { onnx | mlflow | sql | csv }]
--     [OPTIONS ( overwrite = true, dialect = 'postgres', table = 'customers', columns = ['id'] )]
--
-- Paths are local and must be below spark.sqlml.allowedPaths. A relative path starts at the driver's working directory.
-- An existing file is replaced only with overwrite = true, and only if it is an earlier export of the same format.
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, price FROM houses;

-- Any ONNX Runtime can run the file. Each feature is an input with its name and the shape [rows, 1]; numbers are
-- float64. The properties of the file describe the model: sqlml.name, sqlml.version, sqlml.digest, sqlml.signature, …
EXPORT MODEL prices TO 'prices.onnx' OPTIONS (overwrite = true);

-- A folder for mlflow.onnx.load_model, mlflow.pyfunc.load_model, or mlflow models serve.
EXPORT MODEL prices VERSION 1 TO 'prices' FORMAT mlflow OPTIONS (overwrite = true);

-- One SELECT that scores a table in another system. It returns id and the prediction for each row.
EXPORT MODEL prices TO 'prices.sql' OPTIONS (dialect = 'duckdb', table = 'houses', columns = ['id'], overwrite = true);

-- A CSV for a table of models in Azure Synapse: COPY INTO Models (Model) FROM '…/prices.csv' WITH (FILE_TYPE = 'CSV').
EXPORT MODEL prices TO 'prices.csv' OPTIONS (overwrite = true);

-- A row of a table, which is created if it does not exist. Its columns are name, version, model BINARY, signature,
-- digest, task, estimator, description and exported.
EXPORT MODEL prices INTO TABLE models;
SELECT name, version, length(model) AS bytes, digest FROM models;

DROP TABLE models;
DROP MODEL prices;
