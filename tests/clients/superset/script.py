"""The part of Superset that every statement passes before it is sent: parsed, its tables looked up, printed again."""

import json
import sys

from superset.sql.parse import SQLGLOT_DIALECTS, SQLScript

from sqlml.dialect import SqlmlSpark

# What Superset does with SQLGLOT_DIALECTS_EXTENSIONS of superset_config.py when it starts.
SQLGLOT_DIALECTS.update({"hive": SqlmlSpark})

answers = []
for text in json.loads(sys.argv[1]):
    for statement in SQLScript(text, "hive").statements:
        tables = sorted(str(table) for table in statement.tables if table.table)
        answers.append([" ".join(statement.format().split()), tables])
json.dump(answers, sys.stdout)
