-- IMPORT MODEL
--
-- Registers an imported model as a new version, so that PREDICT works with it.
--
--   IMPORT MODEL [IF NOT EXISTS] name
--     FROM { 'path' | 'models:/…' | 'runs:/…' | '0x…' | ( query ) }
--     [COMMENT 'text']
--     [OPTIONS ( key = value, … )]
--     [TAGS ( 'key' = 'value', … )]
--
-- CREATE [OR REPLACE] MODEL name FROM … is another spelling. The model is an ONNX graph over tabular data. ONNX is the only
-- flavour of MLflow that is read. All others are programs, and the error shows the Python code that converts them.
--
-- Files must be below spark.sqlml.allowedPaths after symbolic links are resolved. A model is registered only after it
-- has passed every check. Validation examines its operators. Then a sandbox, a process with limits of time and memory
-- (spark.sqlml.import.…), opens the model and runs it on generated rows. A graph is refused if the size of a tensor
-- depends on the values of a row. The versions 7 to 26 of the ONNX operators are supported.
--
-- To import a registered model, a user needs the right to export it. To import a copy of a registered model as bytes, a
-- user needs the right to predict with it.
--
-- Options: features, signature, target, labels, task, activation, missing, outputs, example, tolerance. A plain graph
-- does not state the names of the columns of a tensor [rows, k], nor the names of its classes. A file of EXPORT MODEL
-- states both. If a graph returns a label and probabilities, the order of the probabilities is found by comparing the
-- label with the largest probability. If the order is not certain, the import fails and asks for labels. An integer
-- input does not accept FLOAT, DOUBLE, or DECIMAL with a scale. Use CAST in the query to convert them.
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, price FROM houses;

-- From a file that EXPORT MODEL wrote. The predictions are the same.
EXPORT MODEL prices TO 'prices.onnx' OPTIONS (overwrite = true);
IMPORT MODEL copied FROM 'prices.onnx' COMMENT 'from another registry';
SELECT PREDICT(prices, 100, 4) = PREDICT(copied, 100, 4) AS same;

-- From a table of models, as in Azure Synapse.
EXPORT MODEL prices INTO TABLE models;
IMPORT MODEL copied FROM (SELECT model FROM models WHERE name = 'prices' AND version = 1);

-- From the registry. MLflow's Python can register the source: mlflow.onnx.log_model(…, registered_model_name='prices').
CREATE MODEL copied FROM 'models:/prices/1';

-- From hexadecimal. The graph has one input [rows, 2] and computes 3 area + rooms / 2 + 1. A NULL gives NULL.
IMPORT MODEL copied
FROM '0x0808120468616E641A01313A6F0A140A01780A01770A0162120179220447656D6D3A001207666F726569676E2A130802080110014201774A08000040400000003F2A0D080110014201624A040000803F5A140A0178120F0A0D080112090A0312016E0A02080262140A0179120F0A0D080112090A0312016E0A02080142040A001011'
OPTIONS (features = ['area', 'rooms'], target = 'price');
SELECT PREDICT(copied, 100, 4) AS price, PREDICT(copied, 100, NULL) AS unknown;

DROP TABLE models;
DROP MODEL copied;
DROP MODEL prices;
