"""impyla, Cloudera's client."""

import json
import sys

from impala.dbapi import connect
from impala.error import Error

asked = json.loads(sys.argv[1])
# PLAIN is what Spark's server calls NONE: a name, and any password.
connection = connect(host="127.0.0.1", port=asked["port"], auth_mechanism="PLAIN", user="tester", password="any")
cursor = connection.cursor()
for statement in asked["prepare"]:
    cursor.execute(statement)
cursor.execute(asked["score"])
scored = cursor.fetchall()
cursor.execute(asked["read"])
columns = [(name, kind) for name, kind, *_ in cursor.description]
read = cursor.fetchall()
try:
    cursor.execute(asked["wrong"])
    error = None
except Error as raised:
    error = str(raised)
# What a tool asks of HiveServer2 when it connects; in this client's calls.
cursor.get_databases()
schemas = [row[0] for row in cursor.fetchall()]
cursor.get_tables(database_name="default")
tables = [row[2] for row in cursor.fetchall()]
cursor.get_functions(database_name="default")
functions = [row[2] for row in cursor.fetchall() if "predict" in row[2]]
metadata = {
    "schemas": schemas,
    "tables": tables,
    "columns": cursor.get_table_schema(asked["view"], database_name="default"),
    "functions": sorted(functions),
}
json.dump({"scored": scored, "columns": columns, "read": read, "error": error, "metadata": metadata}, sys.stdout)
