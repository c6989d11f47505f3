"""The signed manifest: envelope, statement, and the names it may use."""
