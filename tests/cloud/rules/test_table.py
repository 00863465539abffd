"""The conformance table: complete, current, and every row proved."""

from __future__ import annotations

import re
from pathlib import Path

from labkit.cloud.rules.catalog import RULES
from labkit.cloud.rules.registry import CONFIDENCE
from labkit.tokens.decision import RULES as DECISION_RULES
from tests.cloud import conformance

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "docs" / "conformance.md"


def test_the_published_table_is_current() -> None:
    assert TABLE.read_text(encoding="utf-8") == conformance.table(HERE), (
        "Make it anew: python -m tests.cloud.conformance > docs/conformance.md"
    )


def test_every_rule_is_proved_and_every_proof_is_of_a_rule() -> None:
    proved = set(conformance.proofs_in(HERE))
    emulated = {rule.name for rule in RULES if rule.kind != "not emulated"}
    assert proved == emulated


def test_every_rule_says_what_is_known() -> None:
    for rule in RULES:
        assert rule.confidence in CONFIDENCE, rule.name
        assert rule.confidence != "doc" or "https://docs.aws.amazon.com/" in rule.source, rule.name
        assert re.search(r"https://\S+", rule.source), rule.name
        for text in (rule.aws, rule.ministack, rule.ours):
            assert text.endswith("."), (rule.name, text)


def test_no_two_rules_have_one_name() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


def test_every_rule_of_the_decision_is_tested_by_its_name() -> None:
    tested = (HERE.parents[1] / "tokens" / "test_decision.py").read_text(encoding="utf-8")
    assert [rule.name for rule in DECISION_RULES if f'"{rule.name}"' not in tested] == []
    assert set(conformance.DIFFERS) <= {rule.name for rule in DECISION_RULES}
