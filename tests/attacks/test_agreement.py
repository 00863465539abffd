"""Rules, endpoint and MiniStack agree on tokens that nobody thought of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.attacks.attack import attempt_named
from labkit.attacks.bench import Bench, sent
from labkit.attacks.forgery import GONE, In
from labkit.attacks.rows import Attempt
from tests.ministack_verdict import ministack_status

GOOD = attempt_named("replay")

# Values on which MiniStack is known to agree: what it decides otherwise, the rows of the bench name one by one.
CLAIMS: dict[str, list[Any]] = {
    "iss": ["$ISSUER", "$ISSUER/", "https://issuer.example", ["$ISSUER"], 5, None, GONE],
    "aud": ["$CLIENT", "another", ["another", "$CLIENT"], ["another"], [], {}, "$CLIENT another", GONE],
    "client_id": ["$CLIENT", "another", 7, GONE],
    "exp": [In(3600), In(60), In(-60), In(-86_400), In(3600, 1000), True, 0, -1],
    "nbf": [In(-60), In(0), In(3600), 0, GONE],
    "iat": [In(0), In(-60), In(3600), 0, GONE],
    "scope": ["$SCOPE", "a $SCOPE", "$SCOPE  a", "a", "", "$SCOPE2", ["$SCOPE"], {"a": 1}, None, 5, GONE],
    "token_use": ["id", "access", 5],
    "anything": ["a", 5, None, [[]], {"a": {"b": "$SCOPE"}}],
}
SCP = [
    {"scope": "a", "scp": "$SCOPE"},
    {"scope": GONE, "scp": ["a", "$SCOPE"]},
    {"scope": "a", "scp": ["a"]},
    {"scp": "$SCOPE"},
]
HEADER: dict[str, list[Any]] = {"kid": ["$KID", "$STRANGER_KID", "a", 5, None, GONE], "typ": ["JWT", "at+jwt", 5, GONE]}
SIGNERS = [("RS256", "issuer"), ("RS256", "stranger"), ("RS256", "kept"), ("HS256", "a word"), ("none", "nobody")]
VALUES = ["$TOKEN", "Bearer $TOKEN", "bearer   $TOKEN", "Basic $TOKEN", "$TOKEN x", "$TOKEN,$TOKEN", "Bearer", ""]


@st.composite
def some_of(draw: st.DrawFn, pools: dict[str, list[Any]], most: int) -> dict[str, Any]:
    """A few of the names, each with one of its values."""
    names = draw(st.lists(st.sampled_from(sorted(pools)), unique=True, max_size=most))
    return {name: draw(st.sampled_from(pools[name])) for name in names}


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    """Attempts that mix what the rows try one at a time."""
    algorithm, by = draw(st.sampled_from(SIGNERS[:1] * 20 + SIGNERS))
    claims = draw(some_of(CLAIMS, 3)) | draw(st.sampled_from([{}, {}, {}, *SCP]))
    return replace(
        GOOD,
        base="what-if issuer",
        header={**draw(some_of(HEADER, draw(st.sampled_from([0, 0, 0, 1])))), "alg": algorithm},
        claims=claims,
        by=by,
        algorithm="HS256" if algorithm == "HS256" else "RS256",
        headers=(("Authorization", draw(st.sampled_from(VALUES[:3] * 10 + VALUES))),),
    )


@settings(max_examples=200)
@given(attempt=attempts())
def test_all_three_agree_on_mixed_tokens(bench: Bench, attempt: Attempt) -> None:
    attack = bench.attack(attempt)
    assert attack.observed == attack.decision.status
    assert ministack_status(bench.endpoint(attempt), *sent(attempt, bench.token(attempt))) == attack.decision.status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["iss", "aud", "client_id", "exp", "nbf", "iat", "scope", "scp"])


@settings(max_examples=100)
@given(
    claims=st.dictionaries(NAMES, JSON, min_size=1, max_size=3),
    header=st.dictionaries(st.text(max_size=5), JSON, max_size=2),
)
def test_rules_and_endpoint_agree_on_any_json(bench: Bench, claims: dict[str, Any], header: dict[str, Any]) -> None:
    attempt = replace(GOOD, base="what-if issuer", claims=claims, header=header, by="issuer")
    attack = bench.attack(attempt)
    assert attack.observed == attack.decision.status
    if attack.observed == 200:  # where the two differ, ours is the stricter
        assert ministack_status(bench.endpoint(attempt), *sent(attempt, bench.token(attempt))) in (200, 500)


VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)


@settings(max_examples=100)
@given(place=st.floats(0, 1, exclude_max=True), character=VISIBLE)
def test_one_changed_character_is_never_let_in(bench: Bench, place: float, character: str) -> None:
    token = bench.token(GOOD)
    at = int(place * len(token))
    attack = bench.attack(replace(GOOD, headers=(("Authorization", f"{token[:at]}{character}{token[at + 1 :]}"),)))
    assert attack.observed == attack.decision.status == (200 if character == token[at] else 401)


@settings(max_examples=100)
@given(value=st.text(alphabet=VISIBLE | st.just(" "), max_size=60))
def test_rules_and_endpoint_agree_on_any_header(bench: Bench, value: str) -> None:
    attack = bench.attack(replace(GOOD, headers=(("Authorization", value.strip()),)))
    assert attack.observed == attack.decision.status == 401
