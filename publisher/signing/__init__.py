"""Sign a model as its publisher: OpenSSF model signing bundles with a key, a certificate or sigstore's keyless method.

keys                loads a publisher's private key
payload             the files that a publisher vouches for, as the bytes to sign
signers             sign with a key, or with a certificate
keyless_signer      signs with a short-lived certificate from sigstore
signature           one signature, verified as users will verify it
sign_release        signs a release that was packed before
"""
