"""Where releases come from. A source finds releases and opens them for reading."""
