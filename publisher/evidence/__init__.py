"""Collect evidence inside the VM: an attestation report and its certificates, from configfs-tsm or from files."""
