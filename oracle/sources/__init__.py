"""Sources of releases. A source finds releases and opens them for reading."""
