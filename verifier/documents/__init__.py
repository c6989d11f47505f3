"""The JSON documents about evidence, releases, records and digests. Commands, a REST API and pages print the same.

`schemas` names every document. The other modules make the members, one function for each object. They take the types
of the rooms below and return plain dicts: bytes as hex, times as RFC 3339 in UTC.
"""
