"""Quotes names in the SQL of other systems, only where they need it.

Databases fold the case of unquoted names in different ways, and a quoted name would have to match the spelling that the
database stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlglot import Dialect, exp

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The words that at least one of the dialects reserves. Quoting an unreserved one is harmless: see `_folded`.
_WORDS = """
    ACCESS ACCOUNT ADD ALL ALTER ANALYSE ANALYZE AND ANTI ANY ARRAY AS ASC ASSERT AT AUTHORIZATION AUTOINCREMENT
    BACKUP BEGIN BETWEEN BOTH BREAK BROWSE BULK BY CASCADE CASE CAST CHECK CHECKPOINT CLOSE CLUSTER CLUSTERED
    COALESCE COLLATE COLUMN COMMIT CONDITION CONNECT CONNECTION CONSTRAINT CONTAINS CONTINUE CONVERT CREATE CROSS
    CUBE CURRENT CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DEALLOCATE
    DECLARE DEFAULT DEFERRABLE DELETE DENSE_RANK DENY DESC DESCRIBE DISK DISTINCT DIV DO DROP DUMP ELSE EMPTY END
    ENUM ERRLVL ESCAPE EXCEPT EXCLUSIVE EXEC EXECUTE EXISTS EXIT EXPLAIN EXTERNAL EXTRACT FALSE FETCH FILE
    FILLFACTOR FOLLOWING FOR FOREIGN FREETEXT FREEZE FROM FULL FUNCTION GENERATED GLOB GLOBAL GOTO GRANT GROUP
    GROUPING GROUPS HASH HAVING HOLDLOCK IDENTITY IF IGNORE ILIKE IN INDEX INDEXED INF INFINITY INITIALLY INNER
    INOUT INSERT INT INTERSECT INTERVAL INTO IS ISNULL JOIN KEY KEYS KILL LAG LATERAL LEAD LEADING LEFT LEVEL LIKE
    LIMIT LINENO LOAD LOCALTIME LOCALTIMESTAMP LOCK LOOKUP LOOP MATCH MERGE MINUS MOD NAN NATIONAL NATURAL NEW NO
    NOCHECK NONCLUSTERED NOT NOTHING NOTNULL NTILE NULL NULLIF NULLS NUMBER OF OFF OFFSET OFFSETS OLD ON ONLY OPEN
    OPTION OR ORDER OUT OUTER OVER OVERLAPS PARTITION PERCENT PIVOT PLACING PLAN PRECEDING PRECISION PRIMARY PRINT
    PRIOR PROC PROCEDURE PROTO PUBLIC QUALIFY RAISERROR RANGE RANK READ READS RECONFIGURE RECURSIVE REFERENCES
    REGEXP RELEASE RENAME REPEAT REPLACE REPLICATION RESPECT RESTORE RESTRICT RETURN RETURNING REVERT REVOKE RIGHT
    RLIKE ROLLBACK ROLLUP ROW ROWCOUNT ROWS RULE SAMPLE SAVE SCHEMA SELECT SEMI SEPARATOR SESSION_USER SET SETUSER
    SHOW SHUTDOWN SIMILAR SIZE SOME SSL STATISTICS STRUCT SYSDATE SYSTEM SYSTEM_USER TABLE TABLESAMPLE TAG
    TERMINATED TEXTSIZE THEN TO TOP TRAILING TRAN TRANSACTION TREAT TRIGGER TRUE TRUNCATE UNBOUNDED UNION UNIQUE
    UNNEST UNPIVOT UPDATE USAGE USE USER USING VALUES VARIADIC VARYING VERBOSE VIEW WAITFOR WHEN WHERE WHILE WINDOW
    WITH WITHIN WRITE WRITETEXT XOR
"""
_RESERVED = frozenset(_WORDS.split())


def identifier(name: str, dialect: str) -> exp.Identifier:
    """Returns a column's name as a dialect writes it."""
    if not _PLAIN.fullmatch(name):
        return exp.Identifier(this=name, quoted=True)
    if name.upper() in _RESERVED:
        return exp.Identifier(this=_folded(name, dialect), quoted=True)
    return exp.Identifier(this=name, quoted=False)


def column(name: str, dialect: str) -> exp.Column:
    """Returns a column as a dialect writes it."""
    return exp.Column(this=identifier(name, dialect))


def unique(wanted: str, taken: Iterable[str]) -> str:
    """Returns the name, with a number if another name equals it up to case."""
    known = {name.casefold() for name in taken}
    found, count = wanted, 1
    while found.casefold() in known:
        count += 1
        found = f"{wanted}_{count}"
    return found


def _folded(name: str, dialect: str) -> str:
    """The name in the case to which the dialect folds unquoted names, so that quoting it refers to the same column."""
    strategy = str(Dialect.get_or_raise(dialect).normalization_strategy).rsplit(".", 1)[-1].upper()
    return {"UPPERCASE": name.upper(), "LOWERCASE": name.lower()}.get(strategy, name)
