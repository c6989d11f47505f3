"""Everything that writes to a chain: transactions, payer, signers, reports, deployment, ROFL."""
