"""Proofs of releases on chain: AMD's signature checked by the EVM, with no oracle."""
