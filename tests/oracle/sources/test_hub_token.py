"""Tests of the hub's token: where it comes from, and that no message quotes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance_oracle.oracle.sources.hub_token import read_hub_token
from provenance_oracle.verifier.errors import UsageError


def write(tmp_path: Path, data: bytes, mode: int = 0o600) -> Path:
    file = tmp_path / "token"
    file.write_bytes(data)
    file.chmod(mode)
    return file


def test_the_file_goes_before_the_environment(tmp_path: Path) -> None:
    found = read_hub_token(write(tmp_path, b" hf_file\r\n"), {"HF_TOKEN": "hf_env"})
    assert found is not None and found.reveal() == b"hf_file"
    assert "hf_file" not in repr(found)


def test_the_environment_counts_without_a_file() -> None:
    found = read_hub_token(None, {"HF_TOKEN": "hf_env\n"})
    assert found is not None and found.reveal() == b"hf_env"


@pytest.mark.parametrize("environ", [{}, {"HF_TOKEN": ""}])
def test_there_may_be_no_token(environ: dict[str, str]) -> None:
    assert read_hub_token(None, environ) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="only its owner"):
        read_hub_token(write(tmp_path, b"hf_s3cret", mode), {})


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"hf_s3cret hf_s3cret", b"s3cret\r\nX-Header: 1", b"s3cret" * 200, b"\xff"]
)
def test_a_file_without_a_token_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsageError, match="no token for the hub") as caught:
        read_hub_token(write(tmp_path, data), {})
    assert "s3cret" not in str(caught.value)


def test_a_variable_without_a_token_is_refused() -> None:
    with pytest.raises(UsageError, match="HF_TOKEN: no token for the hub") as caught:
        read_hub_token(None, {"HF_TOKEN": "s3cret s3cret"})
    assert "s3cret" not in str(caught.value)
