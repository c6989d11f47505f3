"""Keys that sign transactions and reports, and the places that hold them. Nothing here opens a chain.

    module        a URI that `open_signer` takes             the key is in
    environment   env:NAME                                   an environment variable; local chains only
    keystore      keystore:PATH                              a keystore v3 file, with its password in another file
    pkcs11        pkcs11:token=...;object=...?...        a hardware security module (RFC 7512)
    aws_kms       awskms:///KEY_ID_OR_ARN                AWS KMS (as cosign writes it)
    gcp_kms       gcpkms://projects/.../...Versions/N    Google Cloud KMS (as cosign writes it)
    rofl          rofl:KEY_ID                            an Oasis ROFL enclave, by its daemon (appd)

An oracle needs a key for two purposes, and may use two keys. The paying key pays for transactions: it lies on a machine
that is online, holds enough for the fees, and can be replaced at any time. The reporting key signs reports: it is known
to the registry, and another key can take its place only after the owner's announcement and the public delay.

A signer raises only `UsageError` and `TemporaryError`: a failing key is never a statement about a release.
"""
