"""AMD SEV-SNP: from report bytes and certificates to claims that may be trusted."""
