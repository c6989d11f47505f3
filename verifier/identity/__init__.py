"""Who signed a model: OpenSSF model signing bundles with a key, a certificate or sigstore's keyless method, offline.

names               the identity of a publisher, in one line
bundle, log_entry   parse a bundle; nothing in it is trusted
key_method          verifies a signature by a key
certificates, certificate_method
                    verify a chain up to a known anchor, and a signature by its leaf
sigstore_root       the trusted root of a sigstore instance; one is part of this package
keyless, keyless_names, keyless_rules
                    verify a keyless bundle with sigstore-python, and the rules on top of it
signer              the signer, and the comparison with an expected identity
statement           parses the payload, after its signature was verified
match               compares the signed files with those that are there
publisher           one front for the three methods
"""
