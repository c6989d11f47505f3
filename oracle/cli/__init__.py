"""The operator's commands, one file a command, and the assembled command line `provenance`."""
