-- EXPORT MODEL, and IMPORT MODEL of what it writes. Beeline and PyHive share a server, and its working directory.
-- !include sql/data/customers.sql
TRAIN MODEL exported.leavers USING sklearn.decision_tree TARGET churned FEATURES (age, plan, monthly, since, paperless) OPTIONS (max_depth = 4) AS SELECT * FROM customers;

-- !keep ^exported.leavers\t1\t\w+\t[\w.]+
EXPORT MODEL exported.leavers TO 'exported_leavers.onnx' OPTIONS (overwrite = true);
EXPORT MODEL exported.leavers TO 'exported_leavers.onnx';
-- !keep ^\S+\t\d+\t.*(?=\t<masked>\t<masked>\t<masked>)
IMPORT MODEL exported.copied FROM 'exported_leavers.onnx';
SELECT count(*) AS rows, count_if(PREDICT(exported.leavers, *) = PREDICT(exported.copied, *)) AS same,
  count_if(PREDICT_PROBA(exported.leavers, *)['yes'] = PREDICT_PROBA(exported.copied, *)['yes']) AS as_likely FROM customers;
-- !keep ^(?:age|plan|since)\t.*
DESCRIBE MODEL exported.copied;

DROP TABLE IF EXISTS exported_models;
-- !keep ^exported.leavers\t1\t\w+\t[\w.]+
EXPORT MODEL exported.leavers VERSION 1 INTO TABLE exported_models;
SELECT name, version, task, estimator, description, sha2(model, 256) <> digest AS with_properties FROM exported_models;
-- !keep ^exported.leavers\t1\t\w+\t[\w.]+
EXPORT MODEL exported.leavers TO 'exported_leavers' FORMAT mlflow OPTIONS (overwrite = true);
-- !keep ^exported.leavers\t1\t\w+\t[\w.]+
EXPORT MODEL exported.leavers TO 'exported_leavers.csv' FORMAT hex OPTIONS (overwrite = true);

-- What is refused.
EXPORT MODEL exported.nothing TO 'nothing.onnx';
EXPORT MODEL exported.leavers VERSION 7 TO 'nothing.onnx';
EXPORT MODEL exported.leavers TO '/etc/leavers.onnx';
EXPORT MODEL exported.leavers TO '../leavers.onnx';
EXPORT MODEL exported.leavers TO 's3a://bucket/leavers.onnx';
EXPORT MODEL exported.leavers TO 'no/such/folder/leavers.onnx';
EXPORT MODEL exported.leavers TO 'leavers.py' FORMAT onnx;
EXPORT MODEL exported.leavers TO 'leavers';
EXPORT MODEL exported.leavers TO 'leavers.onnx' FORMAT pickle;
EXPORT MODEL exported.leavers TO 'leavers.onnx' OPTIONS (overwite = true);
EXPORT MODEL exported.leavers INTO TABLE customers;

DROP TABLE exported_models;
DROP MODEL exported.copied;
DROP MODEL exported.leavers;
