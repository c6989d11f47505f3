"""Who signed a model: OpenSSF model signing bundles with a key, a certificate or sigstore's keyless method, offline.

names               the identity of a publisher, in one line
bundle, log_entry   parse a bundle; nothing in it is trusted
key_method          verifies a signature by a key
certificates, certificate_method
                    verify a chain up to a known anchor, and a signature by its leaf
signer              the signer, and the comparison with an expected identity
statement           parses the payload, after its signature was verified
match               compares the signed files with those that are there
"""
