-- ALTER MODEL
--
-- Changes what is said of a model, or of one of its versions: aliases, comments, tags, the name. The versions themselves
-- never change. MLflow's page and API show it at once, and SQL shows at once what is changed there.
--
--   ALTER MODEL [IF EXISTS] name
--     { SET ALIAS alias = VERSION n [IF metric {> | >= | < | <= | =} number [AND …]]
--     | UNSET ALIAS [IF EXISTS] alias
--     | [VERSION n] SET COMMENT 'text'
--     | [VERSION n] SET TAGS ( 'key' = 'value', … )
--     | [VERSION n] UNSET TAGS [IF EXISTS] ( 'key', … )
--     | RENAME TO name }
--
-- Returns a row for each change, with what stood there before and what does now.
-- !include sql/data/houses.sql
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, price FROM houses;
TRAIN MODEL prices USING linear_regression TARGET price AS SELECT area, rooms, city, price FROM houses;

-- A query that says 'prices@champion' now means version 1.
ALTER MODEL prices SET ALIAS champion = VERSION 1;
SELECT id, PREDICT('prices@champion', area) AS price FROM houses;

-- Only if it is good enough; else an error tells the actual numbers, and version 1 stays champion.
ALTER MODEL prices SET ALIAS champion = VERSION 2 IF r2 >= 0.9 AND rmse < 20000;
ALTER MODEL prices UNSET ALIAS champion;

-- Of the model, and of one version. An empty comment removes it.
ALTER MODEL prices SET COMMENT 'Asking prices';
ALTER MODEL prices VERSION 2 SET COMMENT 'With the city';
ALTER MODEL prices SET TAGS ('team' = 'sales', 'ticket' = '1234');
ALTER MODEL prices VERSION 2 SET TAGS ('reviewed' = 'yes');
ALTER MODEL prices UNSET TAGS ('ticket');

-- Versions, aliases, tags and comments stay.
ALTER MODEL prices RENAME TO sales.prices;

-- With IF EXISTS what is not there is no error.
ALTER MODEL IF EXISTS prices UNSET ALIAS IF EXISTS champion;

DROP MODEL sales.prices;
