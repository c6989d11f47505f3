"""Read a chain: one node, the registry contract, its events, namespaces and lineage. Gives entries; writes nothing."""
