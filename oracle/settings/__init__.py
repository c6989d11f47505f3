"""The oracle's settings: one dataclass describes each once, for file, environment, options, help and documentation."""
