"""The calls that a sound lab answers in a known way."""

from __future__ import annotations

from pathlib import Path

from labkit.cloud.protocol import Cloud
from labkit.questions.expectations import check_calls
from labkit.questions.sign_in import SignIns
from labkit.steps.report import Report
from tests.labs import lab_at


def test_a_check_that_cannot_call_says_what_to_do(warm_home: Path, warm_cloud: Cloud) -> None:
    absent = lab_at(warm_home, "not-built")

    report = check_calls(absent.target, SignIns(absent.target), Report(()))

    assert not report.passed
    assert {(finding.step, finding.actual, finding.remedy) for finding in report.findings} == {
        (
            "calls",
            "There is no HTTP API of this lab: it was not built yet, or it is gone.",
            "Build it: labkit up --through http-api",
        )
    }


def test_in_a_half_built_lab_every_advice_names_the_step_to_go_on_with(warm_home: Path) -> None:
    half = lab_at(warm_home, "half-built")
    half.up("http-api")

    findings = half.check().findings

    assert {finding.remedy for finding in findings} == {
        "labkit up --through authorizer",
        "See to authorizer first: labkit up --through authorizer",
    }
