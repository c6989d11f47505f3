"""A crash-safe account of every release: one interface, kept in SQLite."""
