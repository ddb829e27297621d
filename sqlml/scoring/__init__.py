"""Columns in, predictions out, over ONNX Runtime: all that a Python worker of Spark needs."""
