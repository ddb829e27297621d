-- sqlml.models, sqlml.model_versions, sqlml.training_runs, sqlml.metrics, sqlml.enrichments
--
-- The registry as tables, for BI tools and everybody who would rather SELECT: read-only, in a catalog called sqlml, so
-- that two words name a table whatever the current database is. Each query reads the registry as it is at that moment.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);

SHOW TABLES IN sqlml;
DESCRIBE sqlml.models;

-- One row a model.
SELECT name, newest_version, aliases, task, target, comment, updated FROM sqlml.models ORDER BY name;

-- One row a version, with the names that stand for it.
SELECT model, version, aliases, estimator, tags, created FROM sqlml.model_versions WHERE model = 'line';

-- One row a training, whether it made a version or failed, and one a trial of a search.
SELECT model, version, status, started, seconds, error FROM sqlml.training_runs WHERE parent_run_id IS NULL;

-- One row a metric; joins and filters are Spark's own.
SELECT v.model, v.version, m.metric, m.value
  FROM sqlml.model_versions v JOIN sqlml.metrics m ON m.run_id = v.run_id
  WHERE m.metric = 'r2' ORDER BY m.value DESC;

-- Tools that list only the metastore's tables see them through views.
CREATE OR REPLACE VIEW models AS SELECT * FROM sqlml.models;
SELECT name, versions FROM models;
DROP VIEW models;

DROP MODEL line;
