"""Report in one line that Python is too old, before pip reports it in forty."""

import sys

if sys.version_info < (3, 11):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"provenance-oracle needs Python 3.11 or newer, found {found}; try: make PYTHON=python3.12 ...")
