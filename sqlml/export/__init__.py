"""Fitted estimators become ONNX graphs here, in the precision their own library computes in, and prove it."""
