"""Judge a release for the pipeline: in a thread of the oracle, or in a process of its own."""
