"""Hash large files on a Ray cluster. Workers read the bytes; the oracle checks a sample and builds the tree."""
