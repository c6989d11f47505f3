"""The fs-verity tree on CPUs: the readable reference, hashlib and the compiled part. Byte sources in, digests out."""
