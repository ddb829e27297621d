"""The doors a user has to Spark SQL, each as one small class: `run(statements) -> results`.

    in_process   PySpark, the session of the test process
    shell        the stock bin/spark-sql, one process, statements on its standard input
    beeline      Hive's JDBC driver, as every JDBC client uses it, against Spark's own Thrift server
    thrift       PyHive against the same server
    connect      a Spark Connect client in a process of its own against Spark's own Connect server

`golden` reads and writes the files that hold what every door must answer.
"""
