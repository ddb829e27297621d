-- The registry as tables.
TRAIN MODEL listed COMMENT 'A line' USING sklearn.linear_regression TARGET y TAGS ('team' = 'growth') AS SELECT id AS x, 2.0D * id AS y FROM range(40);
TRAIN MODEL listed USING sklearn.decision_tree TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);
ALTER MODEL listed SET ALIAS champion = VERSION 1;

-- Spark's shell shows these two in a form of its own.
-- !only pyspark pyhive beeline connect
SHOW TABLES IN sqlml;
-- !only pyspark pyhive beeline connect
DESCRIBE sqlml.metrics;
SELECT name, versions, newest_version, aliases, estimator, task, target, comment, tags FROM sqlml.models WHERE name = 'listed';
SELECT version, aliases, estimator, comment, tags, length(digest) AS digits FROM sqlml.model_versions WHERE model = 'listed' ORDER BY version;
SELECT r.version, r.status, r.seconds > 0 AS took, r.ended >= r.started AS ordered, substring(r.sql, 1, 18) AS sql, r.error
  FROM sqlml.training_runs r WHERE r.model = 'listed' AND r.version IS NOT NULL ORDER BY r.version;
SELECT v.version, v.estimator, x.metric, round(x.value, 2) AS value
  FROM sqlml.model_versions v JOIN sqlml.metrics x ON x.run_id = v.run_id
  WHERE v.model = 'listed' AND x.metric = 'r2' ORDER BY v.version;

-- What a view shows changes with the registry.
CREATE OR REPLACE VIEW champions AS SELECT name, aliases['champion'] AS version FROM sqlml.models WHERE name = 'listed';
SELECT * FROM champions;
ALTER MODEL listed SET ALIAS champion = VERSION 2;
SELECT * FROM champions;
DROP MODEL listed;
SELECT * FROM champions;
SELECT count(*) >= 2 AS trained, count(version) AS versions FROM sqlml.training_runs WHERE model = 'listed';
DROP VIEW champions;

-- !keep show the model registry
DROP TABLE sqlml.models;
-- !keep \[TABLE_OR_VIEW_NOT_FOUND\]
SELECT * FROM sqlml.versions;
