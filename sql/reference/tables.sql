-- sqlml.models, sqlml.model_versions, sqlml.training_runs, sqlml.metrics, sqlml.enrichments
--
-- The registry as read-only tables, for BI tools and for queries. They are in a catalog called sqlml, so sqlml.models
-- works whatever the current database is. Each query reads the current registry.
TRAIN MODEL line USING linear_regression TARGET y AS SELECT id AS x, 2.0D * id AS y FROM range(40);

SHOW TABLES IN sqlml;
DESCRIBE sqlml.models;

-- One row for each model.
SELECT name, newest_version, aliases, task, target, comment, updated FROM sqlml.models ORDER BY name;

-- One row for each version, with its aliases.
SELECT model, version, aliases, estimator, tags, created FROM sqlml.model_versions WHERE model = 'line';

-- One row for each training, also for those that failed, and one for each trial of a search.
SELECT model, version, status, started, seconds, error FROM sqlml.training_runs WHERE parent_run_id IS NULL;

-- One row for each metric. Joins and filters are those of Spark.
SELECT v.model, v.version, m.metric, m.value
  FROM sqlml.model_versions v JOIN sqlml.metrics m ON m.run_id = v.run_id
  WHERE m.metric = 'r2' ORDER BY m.value DESC;

-- Tools that list only the tables of the metastore can use views.
CREATE OR REPLACE VIEW models AS SELECT * FROM sqlml.models;
SELECT name, versions FROM models;
DROP VIEW models;

DROP MODEL line;
