"""Tests of the files for Prometheus and Grafana: they have the right form, and each metric and label exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from provenance_oracle.oracle.conditions import Trouble
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.metrics import METRIC_PREFIX, QUEUE_LANES, STEPS
from provenance_oracle.verifier.registry.rpc_client import RpcEvent
from provenance_oracle.verifier.strict.parse_yaml import parse_yaml
from tests.support.figures import all_figures, shapes
from tests.support.promql import mistakes, selectors

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "operations" / "prometheus"
GRAFANA = ROOT / "operations" / "grafana"
KNOWN = dict(shapes(all_figures()))
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "oracle.json").read_bytes())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
QUERIES = [(f"{panel['title']} {target['refId']}", target["expr"]) for panel in PANELS for target in panel["targets"]]
COLUMNS = 24
# The values that the labels have, apart from those that a deployment names.
VALUES: dict[str, set[str]] = {
    "state": {str(state) for state in State},
    "step": set(STEPS),
    "lane": set(QUEUE_LANES),
    "kind": {str(one) for one in (*Trouble, *RpcEvent)} | {"source .*"},
    "effect": {"effect", "none"},
}


def _rules() -> list[dict[str, Any]]:
    path = PROMETHEUS / "alerts.yaml"
    tree = parse_yaml(path.read_bytes(), str(path))
    assert isinstance(tree, dict)
    return [rule for group in tree["groups"] for rule in group["rules"]]


RULES = _rules()
ALERTS = [rule["alert"] for rule in RULES]
EXPRESSIONS = dict(QUERIES) | {rule["alert"]: rule["expr"] for rule in RULES}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool of the Debian package prometheus is not installed")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROMETHEUS)


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_exist(place: str) -> None:
    expression = EXPRESSIONS[place]
    assert selectors(expression) or place == "OracleDown"
    assert mistakes(expression, KNOWN) == []
    for _, matchers in selectors(expression):
        for one in matchers:
            if one.label in VALUES:
                assert set(one.value.split("|")) <= VALUES[one.label], place


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        ("provenance_oracle_nothing", "no metric provenance_oracle_nothing"),
        ("provenance_oracle_step_seconds", "no metric provenance_oracle_step_seconds"),
        ("provenance_oracle_hashed_bytes", "no metric provenance_oracle_hashed_bytes"),
        ('provenance_oracle_releases{stat="x"}', "no label stat of provenance_oracle_releases"),
        ('provenance_oracle_step_seconds_sum{le="1"}', "no label le of provenance_oracle_step_seconds_sum"),
        ("sum by (step) (provenance_oracle_releases)", "no label step to group by"),
    ],
)
def test_a_wrong_expression_would_be_found(expression: str, mistake: str) -> None:
    assert mistakes(expression, KNOWN) == [mistake]


def test_every_metric_has_a_panel_or_an_alert() -> None:
    named = {name for text in EXPRESSIONS.values() for name, _ in selectors(text)}
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert set(KNOWN) - bare == {f"{METRIC_PREFIX}build_info"}, "that one gives the variable `instance` its values"


# Alerts


def test_alerts_have_names_of_their_own_and_say_what_is_wrong() -> None:
    assert len(set(ALERTS)) == len(RULES) == 10
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_trouble_has_an_alert() -> None:
    (pages,) = [rule["expr"] for rule in RULES if rule["alert"] == "OracleTrouble"]
    (tickets,) = [rule["expr"] for rule in RULES if rule["alert"] == "OracleHeldBack"]
    excluded, included = re.findall(r'"(.*)"', pages), re.findall(r'"(.*)"', tickets)
    assert excluded == included == ["fees|source .*"]
    assert "kind!~" in pages
    assert "kind=~" in tickets


def test_every_alert_is_explained() -> None:
    rows = re.findall(r"^\| `(Oracle\w+)` \| (\w+) \|", (ROOT / "docs" / "monitoring.md").read_text(), re.MULTILINE)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tree = yaml.safe_load((PROMETHEUS / "alerts_test.yaml").read_text())
    cases = [(case["alertname"], bool(case["exp_alerts"])) for one in tree["tests"] for case in one["alert_rule_test"]]
    assert set(cases) == {(alert, fires) for alert in ALERTS for fires in (True, False)}


def test_prometheus_takes_configuration_and_rules() -> None:
    for arguments in (("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yaml")):
        told = promtool(*arguments)
        assert told.returncode == 0, told.stdout + told.stderr


def test_the_alerts_fire_when_they_should() -> None:
    told = promtool("test", "rules", "alerts_test.yaml")
    assert told.returncode == 0, told.stdout + told.stderr


# The dashboard


def test_the_dashboard_has_the_members_of_grafana_s_schema() -> None:
    assert (DASHBOARD["uid"], DASHBOARD["title"]) == ("provenance-oracle", "Provenance oracle")
    assert DASHBOARD["schemaVersion"] >= 39
    assert {one["name"] for one in DASHBOARD["templating"]["list"]} == {"datasource", "instance"}
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["id"])
def test_a_panel_is_complete(panel: dict[str, Any]) -> None:
    assert panel["type"] in ("stat", "timeseries", "state-timeline")
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == source
    targets = panel["targets"]
    assert len({target["refId"] for target in targets}) == len(targets) > 0
    for target in targets:
        assert target["datasource"] == source
        variables = set(re.findall(r"\$(\w+)", target["expr"]))
        assert variables <= {"instance", "__rate_interval"}
        assert all(matchers for _, matchers in selectors(target["expr"])), "every figure is that of the chosen oracle"


def test_no_two_panels_overlap_and_none_leaves_the_grid() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    for one in places:
        assert one["x"] >= 0 and one["y"] >= 0 and one["w"] > 0 and one["h"] > 0
        assert one["x"] + one["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_prometheus_can_parse_every_query_of_the_dashboard(tmp_path: Path) -> None:
    texts = [expr.replace("$__rate_interval", "5m").replace("$instance", ".*") for _, expr in QUERIES]
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(texts)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    told = promtool("check", "rules", tmp_path / "rules.yaml")
    assert told.returncode == 0, told.stdout + told.stderr
