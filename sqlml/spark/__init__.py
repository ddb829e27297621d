"""Everything that touches Spark: the doors statements come through, and the way scoring reaches the executors.

java/           the parser in front of Spark's, the commands, the functions, rules for plans; built into jars/sqlml.jar
launch          the settings a session needs; attaching to a PySpark application
bridge_process  the process a JVM without Python starts for itself
bridge          the object Java asks
applications    from the JVM's session to PySpark's
interruptions   Ctrl-C
session         what a statement sees
engine_choice   ONNX Runtime, or the model compiled into the query (compiled_models)
udf             scoring on the executors
"""
