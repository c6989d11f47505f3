"""Write the table of settings into docs/operating.md, from the descriptions in `oracle/settings/settings.py`."""

from __future__ import annotations

from pathlib import Path

from provenance_oracle.oracle.settings.table import page_with_table

PAGE = Path(__file__).parent.parent / "docs" / "operating.md"

if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text()))
