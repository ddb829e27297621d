"""ONNX exporters: convert fitted models to graphs in the precision of their library, and check the graphs' fidelity."""
