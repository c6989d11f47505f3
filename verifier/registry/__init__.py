"""Read a chain: one node, the registry contract, its events, oracle sets, namespaces and lineage. Writes nothing."""
