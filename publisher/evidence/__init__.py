"""Collect evidence inside the VM: attestation report and certificates, from configfs-tsm or from files."""
