"""The bytes of a record as they stand on chain: fields, encoding, standing, EIP-712 signing, batches. Needs no node."""
