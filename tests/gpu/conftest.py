"""The GPU for the tests in this folder, which are marked `gpu`. Without a GPU they are skipped, with the reason."""

from __future__ import annotations

import pytest

from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import DeviceError


@pytest.fixture(scope="session")
def device() -> CupyDevice:
    try:
        return CupyDevice()
    except DeviceError as error:
        pytest.skip(f"no GPU to test with: {error}")
