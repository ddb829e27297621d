"""Columns in, predictions out, over ONNX Runtime: all that a Python worker of Spark needs.

arrow                   between Arrow and numpy, without pandas
feature_values          columns as the numbers or texts that a graph takes
scorer                  a graph and what its inputs and outputs are
output_columns          several outputs of one run
model_cache             an LRU cache of loaded models
memory_limit            batches in pieces, where a model takes more memory than it may
"""
