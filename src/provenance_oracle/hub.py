"""Download models from the Hugging Face Hub only if they are recorded: the interface for users.

    from provenance_oracle.hub import snapshot_download

    snapshot_download   as that of huggingface_hub, but it refuses what a registry has no record of
    expected_hashes     sizes and digests of a recorded model's files, for other downloaders

It needs the extras `hf` and `chain`, and `identity` for releases that their publisher signed.
"""

from __future__ import annotations

from provenance_oracle.verifier.hub.snapshot import ExpectedFile, Snapshot, expected_hashes, snapshot_download

__all__ = ["ExpectedFile", "Snapshot", "expected_hashes", "snapshot_download"]
