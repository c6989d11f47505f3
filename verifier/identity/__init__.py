"""Who signed a model: OpenSSF model signing bundles with a key, a certificate or sigstore's keyless method, offline.

names      the identity of a publisher, in one line
bundle     parses a bundle; nothing in it is trusted
statement  parses the payload, after its signature was verified
"""
