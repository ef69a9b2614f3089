"""Fitted models as ONNX graphs that take raw named columns, and the proof that they answer the same."""
