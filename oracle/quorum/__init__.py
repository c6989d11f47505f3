"""Several oracles: each judges by itself, and they exchange signatures of the records on which they agree."""
