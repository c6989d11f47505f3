"""The operator's commands, and the assembled `provenance` command line."""
