"""The integration with Spark: how statements reach Python from each client, and how scoring reaches the executors.

java/           the Java side, built into jars/sqlml.jar: parser, commands, functions, optimizer rules
launch          the settings a session needs; attaches PySpark applications
bridge_process  the Python process that a JVM without Python starts
bridge          the handler that Java calls through Py4J
applications    maps the JVM's sessions to PySpark's
interruptions   Ctrl-C
session         the `Session` that a statement runs with
engine_choice   chooses ONNX Runtime or the model compiled into the query (compiled_models)
udf             the scoring UDF on the executors
"""
