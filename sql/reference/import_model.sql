-- IMPORT MODEL
--
-- Registers a model that was made elsewhere as a new version: PREDICT then works on it as on a trained one.
--
--   IMPORT MODEL [IF NOT EXISTS] name
--     FROM { 'path' | 'models:/…' | 'runs:/…' | '0x…' | ( query ) }
--     [COMMENT 'text']
--     [OPTIONS ( key = value, … )]
--     [TAGS ( 'key' = 'value', … )]
--
-- CREATE [OR REPLACE] MODEL name FROM … is another spelling. The model is an ONNX graph over columns. Of the flavours of
-- MLflow only ONNX is read: any other is a program, and is refused with the lines of Python that convert it.
--
-- Files lie below spark.sqlml.allowedPaths, after symbolic links. Nothing is registered before the model has passed every
-- check: its operators are looked through, then it is opened and run on made-up rows in a process with limits of time
-- and memory (spark.sqlml.import.…). A graph in which the values of a row decide how large a tensor is is refused. The
-- versions 7 to 26 of ONNX's operators are read.
--
-- A model of the registry takes the right to export it, and bytes that are a registered model's the right to predict
-- with it.
--
-- Options: features, signature, target, labels, task, activation, missing, outputs, example, tolerance. A bare graph does
-- not say what the columns of a tensor [rows, k] are called, nor what its classes are; a file of EXPORT MODEL says all.
-- Where it gives a label and probabilities, the label of the greatest probability is the one that it says; where that is
-- in doubt it is an error that asks for labels. A whole-number input takes no FLOAT, DOUBLE or DECIMAL with a scale: to
-- cut them is the query's CAST.
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, price FROM houses;

-- Back from a file, with the same predictions.
EXPORT MODEL prices TO 'prices.onnx' OPTIONS (overwrite = true);
IMPORT MODEL copied FROM 'prices.onnx' COMMENT 'from another registry';
SELECT PREDICT(prices, 100, 4) = PREDICT(copied, 100, 4) AS same;

-- From a table of models, such as Azure Synapse has.
EXPORT MODEL prices INTO TABLE models;
IMPORT MODEL copied FROM (SELECT model FROM models WHERE name = 'prices' AND version = 1);

-- From the registry; so from MLflow's Python too: mlflow.onnx.log_model(…, registered_model_name='prices').
CREATE MODEL copied FROM 'models:/prices/1';

-- In hexadecimal: a graph with one input [rows, 2], which is 3 area + rooms / 2 + 1. A NULL gives NULL.
IMPORT MODEL copied
FROM '0x0808120468616E641A01313A6F0A140A01780A01770A0162120179220447656D6D3A001207666F726569676E2A130802080110014201774A08000040400000003F2A0D080110014201624A040000803F5A140A0178120F0A0D080112090A0312016E0A02080262140A0179120F0A0D080112090A0312016E0A02080142040A001011'
OPTIONS (features = ['area', 'rooms'], target = 'price');
SELECT PREDICT(copied, 100, 4) AS price, PREDICT(copied, 100, NULL) AS unknown;

DROP TABLE models;
DROP MODEL copied;
DROP MODEL prices;
