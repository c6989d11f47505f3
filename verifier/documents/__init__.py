"""The JSON documents about evidence, releases, records and digests, made once for every command and service.

`schemas` holds the id of every document. The other modules hold one function for each JSON object. Each function takes
types of the rooms below and returns a plain dict: bytes as hex, times as RFC 3339 in UTC. Words for a terminal are in
`verifier.cli.words`.
"""
