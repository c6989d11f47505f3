"""The read side as one: the explorer's page with the REST API beside it, for `provenance serve` and the oracle itself.

`page_files` serves the built page that lies in `oracle/web/page/`, `read_side` puts everything together.
"""
