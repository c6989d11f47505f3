"""Read the batches of a registry beside its records."""

from __future__ import annotations

from provenance_oracle.verifier.registry.head import Block
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.registry.structs import BatchState, parse_batch_state


class BatchReader(RegistryReader):
    """A `RegistryReader` that reads batches too."""

    def is_claimed(self, namespace: str, *, block: int) -> bool:
        """Return whether a namespace has an owner at `block`."""
        return self._satellites.namespaces(block).owner(namespace, block) is not None

    def batch(self, root: bytes, *, block: Block = "latest") -> BatchState:
        """Return the batch with this root, 32 bytes. Its count is 0 if the registry has none."""
        return self._contract.call("batchOf", root, parse=parse_batch_state, block=self._head.number(block))
