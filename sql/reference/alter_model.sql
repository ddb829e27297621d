-- ALTER MODEL
--
-- Changes the metadata of a model or of one of its versions: aliases, comments, tags and the name. The versions
-- themselves never change. MLflow's page and API show each change at once, and SQL shows changes that are made there.
--
--   ALTER MODEL [IF EXISTS] name
--     { SET ALIAS alias = VERSION n [IF metric {> | >= | < | <= | =} number [AND …]]
--     | UNSET ALIAS [IF EXISTS] alias
--     | [VERSION n] SET COMMENT 'text'
--     | [VERSION n] SET TAGS ( 'key' = 'value', … )
--     | [VERSION n] UNSET TAGS [IF EXISTS] ( 'key', … )
--     | RENAME TO name }
--
-- Returns a row for each change, with the old and the new value.
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, city, price FROM houses;

-- A query with 'prices@champion' now uses version 1.
ALTER MODEL prices SET ALIAS champion = VERSION 1;
SELECT id, PREDICT('prices@champion', area) AS price FROM houses;

-- With conditions on metrics. If version 2 does not meet them, the error shows the actual values, and version 1 keeps
-- the alias.
ALTER MODEL prices SET ALIAS champion = VERSION 2 IF r2 >= 0.9 AND rmse < 20000;
ALTER MODEL prices UNSET ALIAS champion;

-- Comments and tags of the model, and of one version. An empty comment removes the comment.
ALTER MODEL prices SET COMMENT 'Asking prices';
ALTER MODEL prices VERSION 2 SET COMMENT 'With the city';
ALTER MODEL prices SET TAGS ('team' = 'sales', 'ticket' = '1234');
ALTER MODEL prices VERSION 2 SET TAGS ('reviewed' = 'yes');
ALTER MODEL prices UNSET TAGS ('ticket');

-- A rename keeps versions, aliases, tags and comments.
ALTER MODEL prices RENAME TO sales.prices;

-- With IF EXISTS, a missing model or alias is not an error.
ALTER MODEL IF EXISTS prices UNSET ALIAS IF EXISTS champion;

DROP MODEL sales.prices;
