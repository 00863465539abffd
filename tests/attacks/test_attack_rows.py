"""The attempts as data: none twice, none without its source, and those of the books all there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict

import pytest

from labkit.attacks.bench import Bench
from labkit.attacks.rows import ATTEMPTS, Attempt
from labkit.tokens.decision import RULES

STATUS_OF_RULE = {
    "request-size": 431,
    "identity-source": 401,
    "shape": 401,
    "algorithm": 401,
    "key-id": 401,
    "signature": 401,
    "issuer": 401,
    "audience": 401,
    "expiry": 401,
    "not-before": 401,
    "issued-at": 401,
    "scope": 403,
    None: 200,
}

# What RFC 8725, the OWASP cheat sheets and every course on tokens name first.
CLASSICS = {
    "changed payload",
    "changed signature",
    "none",
    "HS256 with the public key",
    "jwk",
    "jku",
    "x5u",
    "kid as path",
    "kid as SQL",
    "unknown kid",
    "no kid",
    "other pool",
    "other client",
    "expired",
    "no expiry",
    "not yet valid",
    "issued in the future",
    "wrong issuer",
    "issuer with a slash",
    "shorter scope",
    "longer scope",
    "scope as list",
    "scp as list",
    "huge token",
    "broken base64",
    "broken JSON",
    "two headers",
    "refresh token",
    "signed-out user",
}

SOURCE = re.compile(
    r"RFC \d{4}, section \d[\d.]*"
    r"|OpenID Connect Core 1\.0, section \d"
    r"|https://docs\.aws\.amazon\.com/(apigateway|cognito)/latest/developerguide/[a-z-]+\.html"
)


def test_there_are_many_and_the_classics_are_among_them() -> None:
    assert len(ATTEMPTS) >= 60
    assert {attempt.name for attempt in ATTEMPTS} >= CLASSICS


def test_no_two_have_a_name_or_rule_and_mechanism_in_common() -> None:
    assert [name for name, times in Counter(a.name for a in ATTEMPTS).items() if times > 1] == []
    assert [row for row, times in Counter((a.rule, a.mechanism) for a in ATTEMPTS).items() if times > 1] == []


def test_no_two_make_the_same_request() -> None:
    told = ("name", "tries", "mechanism", "rule", "status", "source", "remark")
    requests = [repr({k: v for k, v in asdict(attempt).items() if k not in told}) for attempt in ATTEMPTS]
    assert len(set(requests)) == len(ATTEMPTS)


def test_every_rule_is_attacked() -> None:
    assert {attempt.rule for attempt in ATTEMPTS} == {*(rule.name for rule in RULES), None}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_a_row_is_complete(attempt: Attempt) -> None:
    assert attempt.status == STATUS_OF_RULE[attempt.rule]
    assert attempt.tries.endswith(".")
    assert SOURCE.fullmatch(attempt.source)
    assert bool(attempt.remark) == (attempt.rule is None)


def test_every_edit_of_a_row_changes_its_token(bench: Bench) -> None:
    for attempt in ATTEMPTS:
        for edit in attempt.edits:
            others = tuple(other for other in attempt.edits if other.part == edit.part and other is not edit)
            without = Attempt(**{**vars(attempt), "edits": others})
            # Of alternatives at the same place only one fits.
            assert others or bench.token(without) != bench.token(attempt), attempt.name
