-- DECLARE @variable: T-SQL's, beside Spark's own DECLARE.
DECLARE @model VARBINARY(MAX) = (SELECT X'0102' AS model);
DECLARE @rate AS DECIMAL(9, 2) = 1.5;
DECLARE @nothing NVARCHAR(20);
DECLARE @bytes VARBINARY(8) = 0x0A0B;
SELECT hex(model) AS model, rate, nothing, hex(bytes) AS bytes;
-- Again, with another value.
DECLARE @rate INT = 2;
SELECT rate;
DECLARE OR REPLACE VARIABLE sparks_own INT DEFAULT 7;
SELECT sparks_own;
DECLARE @model;
DECLARE @rate INT =;
DECLARE @ INT = 1;
DECLARE @rate INT = (SELECT
  nothing_there);
DROP TEMPORARY VARIABLE model;
DROP TEMPORARY VARIABLE rate;
DROP TEMPORARY VARIABLE nothing;
DROP TEMPORARY VARIABLE bytes;
DROP TEMPORARY VARIABLE sparks_own;
