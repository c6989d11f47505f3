"""AMD SEV-SNP: from report bytes and certificates to claims that a policy can judge.

`report`, `endorsements` and `crl` parse untrusted bytes, with `certificates` and `der` below them. `chain` verifies the
certificates up to AMD's root, `signature` matches the report with its VEK and verifies the report's signature. `kds`
and `current_crl` fetch from AMD. A VEK is AMD's VCEK (of a chip) or VLEK (of a cloud provider).
"""
