"""The metrics and labels that a PromQL expression names (https://prometheus.io/docs/prometheus/latest/querying/basics/).

It finds names only. Whether the expression is one, promtool says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance_oracle.oracle.metrics import METRIC_PREFIX
from tests.support.figures import Shape

_SELECTOR = re.compile(rf"\b({METRIC_PREFIX}\w+)(?:\{{([^}}]*)\}})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_OF_SCRAPE = frozenset({"instance", "job"})  # labels that Prometheus itself adds
_PARTS = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Matcher:
    """A condition on a label: `label` `operator` `value`."""

    label: str
    operator: str
    value: str


def selectors(expression: str) -> list[tuple[str, list[Matcher]]]:
    """Return each metric that an expression names, and its conditions."""
    return [
        (name, [Matcher(*found) for found in _MATCHER.findall(inner)]) for name, inner in _SELECTOR.findall(expression)
    ]


def mistakes(expression: str, known: dict[str, Shape]) -> list[str]:
    """Return each metric that does not exist and each label that none of an expression's metrics has."""
    found, labels = [], set(_OF_SCRAPE)
    for name, matchers in selectors(expression):
        shape, own = _shape(name, known)
        if shape is None:
            found.append(f"no metric {name}")
        found += [f"no label {one.label} of {name}" for one in matchers if one.label not in own | _OF_SCRAPE]
        labels |= own
    grouped = {label.strip() for inner in _GROUPED.findall(expression) for label in inner.split(",")}
    return found + [f"no label {label} to group by" for label in sorted(grouped - labels)]


def _shape(name: str, known: dict[str, Shape]) -> tuple[Shape | None, frozenset[str]]:
    """Return the metric with this name, or whose histogram has a part with this name, and its labels."""
    if name in known:
        shape = known[name]
        return (None, frozenset()) if shape.kind == "histogram" else (shape, shape.labels)
    for part in _PARTS:
        whole = known.get(name.removesuffix(part)) if name.endswith(part) else None
        if whole and whole.kind == "histogram":
            return whole, whole.labels | ({"le"} if part == "_bucket" else set())
    return None, frozenset()
