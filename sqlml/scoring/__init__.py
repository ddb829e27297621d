"""Scoring with ONNX Runtime: everything that a Python worker of Spark needs.

arrow                   Arrow ↔ NumPy, without pandas
feature_values          features' columns as the numbers or texts that a graph takes
onnx_session            opens and runs a graph in ONNX Runtime
scorer                  scores columns with a graph; documents its inputs and outputs
output_columns          several outputs of one run
model_cache             an LRU cache of loaded models
memory_limit            splits batches that would exceed the memory limit
"""
