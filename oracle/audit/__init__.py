"""Compare a registry with an oracle's journal and its verdicts, both ways, and repair the journal."""
