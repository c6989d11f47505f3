"""Weights in memory: safetensors headers, tensors, per-tensor tables, live modules and verified loading."""
