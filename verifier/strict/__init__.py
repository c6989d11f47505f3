"""Strict, bounded readers for untrusted input: JSON, YAML, schemas, files, timestamps, checksums and ABI values.

The package imports only `errors`, `checks` and `text`.
"""
