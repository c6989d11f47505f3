"""Weights in memory: safetensors headers, tensors, tables of tensors, live modules and verified loading."""
