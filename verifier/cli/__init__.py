"""The model user's commands: options, one file a command, and words for a terminal."""
