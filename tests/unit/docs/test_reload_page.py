"""The page on reloads and the alert rules speak of what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast, get_args

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from interlock.model.settings import Reload
from interlock.reload.outcome import Reason
from interlock.reload.supervisor import Supervisor
from interlock.service.metrics import Metrics
from tests.unit.service.fakes import make_runtime

DOCS = Path(__file__).parents[3] / "docs"
NAME = re.compile(r"\binterlock_[a-z0-9_]+")
_RULES = yaml.safe_load((DOCS / "alerts.yaml").read_text())
ALERTS = [rule for group in _RULES["groups"] for rule in group["rules"]]


@pytest.fixture
def metrics() -> set[str]:
    """The names under which Prometheus knows the metrics."""
    text = Metrics(cast(Supervisor, make_runtime().supervisor)).text().decode()
    names = set()
    for family in text_string_to_metric_families(text):
        names.add(f"{family.name}_total" if family.type == "counter" else family.name)
    return names


def test_every_metric_is_described(metrics: set[str]) -> None:
    assert set(NAME.findall((DOCS / "reload.md").read_text())) == metrics


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_is_about_metrics_that_there_are(alert: dict[str, Any], metrics: set[str]) -> None:
    used = set(NAME.findall(alert["expr"]))
    assert used
    assert used <= metrics
    assert alert["annotations"]["summary"]
    assert alert["labels"]["severity"] in ("info", "warning", "critical")


def test_every_alert_has_a_name_of_its_own() -> None:
    names = [alert["alert"] for alert in ALERTS]
    assert len(set(names)) == len(names)


def test_every_rule_and_every_reason_is_described() -> None:
    page = (DOCS / "reload.md").read_text()
    for field in Reload.model_fields.values():
        assert f"{field.alias}" in page, field.alias
    for reason in get_args(Reason):
        assert f"| `{reason}` |" in page
