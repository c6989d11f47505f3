"""Write to a chain: transactions, payer, signers, reports, deployment, ROFL."""
