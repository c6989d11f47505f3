"""Tests of the files for Prometheus: each metric that they name exists."""

from __future__ import annotations

import re
from pathlib import Path

from provenance_oracle.oracle.metrics import METRIC_PREFIX
from provenance_oracle.verifier.strict.parse_yaml import parse_yaml
from tests.support.figures import all_figures, shapes

ROOT = Path(__file__).parents[2]


def test_alert_rules_name_metrics_that_exist_and_say_what_is_wrong() -> None:
    path = ROOT / "operations" / "prometheus" / "alerts.yaml"
    tree = parse_yaml(path.read_bytes(), str(path))
    assert isinstance(tree, dict)
    rules = [rule for group in tree["groups"] for rule in group["rules"]]
    known = set(shapes(all_figures()))
    assert len({rule["alert"] for rule in rules}) == len(rules) == 5
    for rule in rules:
        named = re.findall(rf"{METRIC_PREFIX}\w+", rule["expr"])
        assert named and set(named) <= known, rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")
