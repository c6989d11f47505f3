"""The model user's commands: one file a command, shared options and output, and words for a terminal."""
