"""The on-chain bytes of a record: fields, encoding, standing, EIP-712 signing, batches. Needs no node."""
