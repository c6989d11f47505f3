"""The signed manifest: its DSSE envelope, its in-toto statement, the key that signs it, and the names it may use."""
