"""Make a release: collect evidence, write and sign the manifest, pack the folder."""
