"""Untrusted bytes in, bounded: JSON, YAML, schemas, files, timestamps. Imports errors, checks and text only."""
