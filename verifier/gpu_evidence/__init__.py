"""NVIDIA GPU attestation evidence: a genuine GPU signed its measurements for a nonce.

`bundle` parses the file of one GPU, `spdm` the messages in it, `chain` verifies the certificates up to NVIDIA's device
identity root, and `verify` the signature and the nonce. Accepted evidence means: genuine GPU, made for this key; not
proved to be attached to this VM.
"""
