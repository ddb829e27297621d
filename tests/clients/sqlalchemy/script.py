"""SQLAlchemy's hive:// (PyHive) and pandas over it."""

import json
import sys

import pandas as pd
from sqlalchemy import create_engine, exc, inspect, text

asked = json.loads(sys.argv[1])
engine = create_engine(f"hive://tester@127.0.0.1:{asked['port']}/default")
with engine.connect() as connection:
    for statement in asked["prepare"]:
        connection.execute(text(statement))
    scored = [list(row) for row in connection.execute(text(asked["score"]))]
    # Not read_sql: it takes a query for the name of a table, since Spark describes queries too.
    frame = pd.read_sql_query(text(asked["read"]), connection)
    above = connection.execute(text(f"SELECT count(*) FROM {asked['view']} WHERE p > :least"), {"least": 5}).scalar()
    try:
        connection.execute(text(asked["wrong"]))
        error = None
    except exc.DBAPIError as raised:
        error = str(raised)
columns = [(column["name"], str(column["type"])) for column in inspect(engine).get_columns(asked["view"])]
answers = {"scored": scored, "columns": columns, "read": frame.to_numpy().tolist(), "above": above, "error": error}
json.dump(answers | {"tables": inspect(engine).get_table_names()}, sys.stdout)
