"""The events of a registry in a database, each block read once."""
