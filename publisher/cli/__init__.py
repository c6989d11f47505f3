"""The publisher's commands, one file a command."""
