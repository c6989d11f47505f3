"""The table of settings in docs/operating.md."""

from __future__ import annotations

from provenance_oracle.oracle.settings.names import DEFAULTS, SPECS
from provenance_oracle.oracle.settings.spec import Spec

BEGIN, END = "<!-- begin: table of settings -->", "<!-- end: table of settings -->"
_HEAD = "| setting | default | live | meaning |\n|---|---|---|---|\n"


def settings_table() -> str:
    """Return the table in Markdown: one heading for each section, one line for each setting, in the order of help."""
    sections: dict[str, list[str]] = {}
    for name, spec in SPECS.items():
        sections.setdefault(spec.section, []).append(_line(name, spec))
    return "\n".join(f"**{section}**\n\n{_HEAD}{''.join(lines)}" for section, lines in sections.items())


def page_with_table(page: str) -> str:
    """Return the text of a page with the table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{settings_table()}{END}{after}"


def _line(name: str, spec: Spec) -> str:
    unit = f" {spec.unit}" if spec.unit else ""
    values = "" if spec.kind.is_plain else f" ({spec.kind.wanted}{unit})"
    meaning = spec.help.replace("|", "\\|")
    return f"| `{name}` | {_default(name)} | {'yes' if spec.live else ''} | {meaning}{values} |\n"


def _default(name: str) -> str:
    if name not in DEFAULTS:
        return "required"
    value = DEFAULTS[name]
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value not in (None, "", ()) else ""
