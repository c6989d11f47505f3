"""The environment that leads boto3 and s3fs to a server on this machine, with test credentials only."""

from __future__ import annotations

import pytest


def lead_to(patch: pytest.MonkeyPatch, service: str, endpoint: str, *, region: str, secret: str) -> None:
    """Set the variables of AWS's SDKs. `service` is the name in `AWS_ENDPOINT_URL_<service>`."""
    for name, value in {
        f"AWS_ENDPOINT_URL_{service}": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "NO_PROXY": "127.0.0.1",
    }.items():
        patch.setenv(name, value)
