"""Strict, bounded readers for untrusted input: JSON, YAML, schemas, files and timestamps.

The package imports only `errors`, `checks` and `text`.
"""
