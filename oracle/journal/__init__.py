"""A crash-safe history of every release, behind one interface, stored in SQLite."""
