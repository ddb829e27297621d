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
-- Several at once; an expression knows none of the variables beside it.
DECLARE @rate INT = 3, @nothing VARCHAR(9) = 'some', @bytes VARBINARY(MAX) = (SELECT [m] FROM VALUES (X'0C') AS t(m));
SELECT rate, nothing, hex(bytes) AS bytes;
DECLARE @rate INT = 1, nothing INT;
DECLARE @rate INT = 1, @Rate INT;
DECLARE @rate INT = 1,
  @nothing INT = (SELECT [nothing_there]);
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
