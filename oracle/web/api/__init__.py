"""The read-only REST API under /api/v1: records, names, lineage, verdicts, evidence and batch proofs, for programs.

`routes` is the table of all routes. `endpoint` makes Starlette's routes of it, `openapi` the document that describes
them. The other modules hold the functions that answer. A request verifies nothing: everything an answer holds can be
checked against the chain.
"""
