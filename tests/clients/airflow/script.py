"""Airflow's SQL operator, which runs any number of statements over its connection to the Thrift server."""

import json
import os
import sys

asked = json.loads(sys.argv[1])
# What an administrator saves under Admin > Connections; PLAIN, which Airflow's page names, is refused by PyHive.
os.environ["AIRFLOW_CONN_SPARK"] = json.dumps(
    {
        "conn_type": "hiveserver2",
        "host": "127.0.0.1",
        "port": asked["port"],
        "login": "tester",
        "schema": "default",
        "extra": {"auth_mechanism": "NONE"},
    }
)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Airflow's log

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator  # noqa: E402


def run(sql, **options):
    operator = SQLExecuteQueryOperator(task_id="task", conn_id="spark", sql=sql, split_statements=True, **options)
    return operator.execute({})


# One text of several statements, each with the semicolon that the operator leaves at its end.
run(";\n".join(asked["prepare"]) + ";", return_last=False)
scored = run(asked["score"] + ";")
read = run(asked["read"])
try:
    run(asked["wrong"])
    error = None
except Exception as raised:
    error = str(raised)
json.dump({"scored": scored, "columns": [], "read": read, "error": error}, answers, default=list)
