"""The tasks of chapter 07: open they fail, solved they pass, and each common wrong answer is met with its sentence."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from labkit.lab import Lab
from labkit.learning.lessons import lessons
from labkit.learning.tasks import chapter_07
from labkit.tokens.decision import ApiRequest, AuthorizerSettings, Route, decide
from tests.labs import lab_at


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Iterator[Lab]:
    """A finished lab."""
    lab = lab_at(warm_home, "tasks-07")
    lab.up()
    yield lab
    lab.down()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def write(part: Any) -> str:
    return base64url(json.dumps(part).encode())


def read(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=="))


def raised(token: str, **changed: Any) -> dict[str, Any]:
    """The claims of a token with the admin scope, and otherwise changed; None takes a claim out."""
    claims = read(token.split(".")[1])
    claims = {**claims, "scope": claims["scope"].replace("regular", "admin"), **changed}
    return {name: value for name, value in claims.items() if value is not None}


def unsigned(token: str, alg: str = "none", end: str = ".", **changed: Any) -> str:
    return f"{write({'alg': alg})}.{write(raised(token, **changed))}{end}"


def confused(
    token: str,
    secret: bytes,
    alg: str = "HS256",
    sign: Callable[[bytes, str], bytes] = lambda secret, signed: hmac.digest(secret, signed.encode(), "sha256"),
    **changed: Any,
) -> str:
    header = {**read(token.split(".", maxsplit=1)[0]), "alg": alg}
    signed = f"{write(header)}.{write(raised(token, **changed))}"
    return f"{signed}.{base64url(sign(secret, signed))}"


def by_pyjwt(token: str, secret: bytes) -> str:
    """PyJWT refuses such a key in `jwt.encode`, and not one floor below."""
    header = {**read(token.split(".", maxsplit=1)[0]), "alg": "HS256"}
    signed = f"{write(header)}.{write(raised(token))}"
    return f"{signed}.{base64url(jwt.get_algorithm_by_name('HS256').sign(signed.encode(), secret))}"


def over(choose: Callable[[str, str], str]) -> Callable[[str, bytes], str]:
    """A forgery that is signed over something else, chosen of the old token and of what should be signed."""
    return lambda token, pem: confused(token, pem, sign=lambda key, text: digest(key, choose(token, text)))


def digest(secret: bytes, text: str) -> bytes:
    return hmac.digest(secret, text.encode(), "sha256")


def over_own_payload(token: str, pem: bytes) -> str:
    signed = f"{write({**read(token.split('.', maxsplit=1)[0]), 'alg': 'HS256'})}.{token.split('.')[1]}"
    return f"{signed}.{base64url(digest(pem, signed))}"


def without_kid(token: str, pem: bytes) -> str:
    signed = f"{write({'alg': 'HS256'})}.{write(raised(token))}"
    return f"{signed}.{base64url(digest(pem, signed))}"


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("forge-none", unsigned),
        ("forge-none", lambda token: unsigned(token, exp=int(time.time()) + 86_400, name="Me")),
        ("forge-none", lambda token: jwt.encode(raised(token), None, "none")),
        ("forge-hs256", confused),
        ("forge-hs256", by_pyjwt),
    ],
    ids=["none", "none, and more changed", "none, by PyJWT", "HS256", "HS256, by PyJWT"],
)
def test_a_forgery_passes_and_the_api_refuses_it_at_the_algorithm(lab: Lab, task: str, function: Any) -> None:
    verdict = lab.check_task(task, function)
    assert verdict.passed, verdict.text()
    assert "answered 401, and the rule algorithm" in verdict.sentence


TOKEN: dict[str, Callable[..., Any]] = {
    "nothing": lambda token, *_: None,
    "no-text": lambda token, *_: unsigned(token).encode(),
    "last-dot": lambda token, *_: unsigned(token, end=""),
    "parts": lambda token, *_: unsigned(token, end=".."),
    "padding": lambda token, *_: unsigned(token).replace(".", "=.", 1),
    "alphabet": lambda token, *_: unsigned(token).replace(".", "+/.", 1),
    "blank": lambda token, *_: f"Bearer {unsigned(token)}",
    "other-letters": lambda token, *_: str(unsigned(token).encode()),
    "no-json": lambda token, *_: f"{base64url(str({'alg': 'none'}).encode())}.{write(raised(token))}.",
}
NONE: dict[str, Callable[..., Any]] = {
    **TOKEN,
    "alg": lambda token: unsigned(token, alg="RS256"),
    "own-payload": lambda token: f"{write({'alg': 'none'})}.{token.split('.')[1]}.",
    "no-gain": lambda token: unsigned(token, scope="admin"),
    "spoiled": lambda token: unsigned(token, aud=None),
    "signature": lambda token: unsigned(token, end="." + token.split(".")[2]),
}
HS256: dict[str, Callable[..., Any]] = {
    **TOKEN,
    "alg": lambda token, pem: confused(token, pem, alg="RS256"),
    "own-payload": over_own_payload,
    "no-gain": lambda token, pem: confused(token, pem, scope="regular admin"),
    "spoiled": lambda token, pem: confused(token, pem, exp=1),
    "no-kid": without_kid,
    "old-signature": lambda token, pem: ".".join([*confused(token, pem).split(".")[:2], token.split(".")[2]]),
    "hex": lambda token, pem: confused(token, pem, sign=lambda key, text: digest(key, text).hex().encode()),
    "payload-only": over(lambda _, text: text.split(".")[1]),
    "signed-before": over(lambda token, _: token.rpartition(".")[0]),
    "cut-pem": lambda token, pem: confused(token, pem.strip()),
    "no-secret": lambda token, pem: confused(token, pem, sign=lambda _, text: hashlib.sha256(text.encode()).digest()),
    "signature": lambda token, pem: confused(token, b"secret"),
}


@pytest.mark.parametrize("trap", NONE)
def test_a_wrong_token_without_signature_is_met_with_its_sentence(lab: Lab, trap: str) -> None:
    met(lab, "forge-none", trap, NONE[trap])


@pytest.mark.parametrize("trap", HS256)
def test_a_wrong_token_with_an_hmac_is_met_with_its_sentence(lab: Lab, trap: str) -> None:
    met(lab, "forge-hs256", trap, HS256[trap])


def met(lab: Lab, task: str, trap: str, function: Callable[..., Any]) -> None:
    verdict = lab.check_task(task, function)
    before, *_, after = [*lessons().tasks[task].wrong[trap].split("{", 1), ""]
    assert verdict.outcome == "not yet", verdict.text()
    assert verdict.sentence.startswith(before)
    assert verdict.sentence.endswith(after.rpartition("}")[2])


@pytest.mark.parametrize("spaces", [(", ", ": "), (",", ":")])
def test_the_key_as_it_is_published_is_another_secret(lab: Lab, spaces: tuple[str, str]) -> None:
    keys = requests.get(lab.environment()["JWKS_URL"], timeout=10).json()["keys"]
    by_id = {key["kid"]: json.dumps(key, separators=spaces).encode() for key in keys}
    met(lab, "forge-hs256", "jwk", lambda token, _: confused(token, by_id[read(token.split(".")[0])["kid"]]))


@pytest.mark.parametrize(
    "cut",
    [
        lambda pem: b"\n".join(pem.split(b"\n")[1:-2]),
        lambda pem: b"".join(pem.split(b"\n")[1:-2]),
        lambda pem: base64.b64decode(b"".join(pem.split(b"\n")[1:-2])),
    ],
    ids=["lines", "text", "bytes"],
)
def test_a_part_of_the_key_is_another_secret(lab: Lab, cut: Callable[[bytes], bytes]) -> None:
    met(lab, "forge-hs256", "cut-pem", lambda token, pem: confused(token, cut(pem)))


def test_a_digest_that_was_not_encoded_is_a_hexadecimal_one(lab: Lab) -> None:
    def bare(token: str, pem: bytes) -> str:
        signed = confused(token, pem).rpartition(".")[0]
        return f"{signed}.{digest(pem, signed).hex()}"

    met(lab, "forge-hs256", "hex", bare)
    met(lab, "forge-hs256", "signature", lambda token, pem: confused(token, pem).rpartition(".")[0] + ".abcde")


def test_what_pyjwt_says_to_a_public_key_is_told_with_the_learners_line(lab: Lab) -> None:
    verdict = lab.check_task("forge-hs256", lambda token, pem: jwt.encode(raised(token), pem, "HS256"))
    assert "jwt.encode(raised(token), pem" in verdict.sentence
    assert "InvalidKeyError" in verdict.sentence


def test_a_function_of_other_arguments_is_told(lab: Lab) -> None:
    said = lab.check_task("forge-none", lambda: None).sentence
    assert said == "Your function takes (), and it is called with 1 argument."


# The verifier.


def fits(token: str, key: bytes, alg: str) -> bool:
    signed, _, signature = token.rpartition(".")
    found = base64.urlsafe_b64decode(signature + "==")
    if alg == "none":
        return True
    if alg == "HS256":
        return hmac.compare_digest(hmac.digest(key, signed.encode(), "sha256"), found)
    rsa = jwt.get_algorithm_by_name(alg)
    return rsa.verify(signed.encode(), rsa.prepare_key(key), found)


Parts = dict[str, Callable[..., bool]]
BY_HAND: Parts = {
    "algorithm": lambda header: header["alg"] == "RS256",
    "signature": lambda token, header, keys: fits(token, keys[header["kid"]], header["alg"]),
    "issuer": lambda claims, issuer: claims["iss"] == issuer,
    "audience": lambda claims, audience: audience in ([claims["aud"]] if type(claims["aud"]) is str else claims["aud"]),
    "expiry": lambda claims: claims["exp"] > time.time(),
    "not-before": lambda claims: claims.get("nbf", 0) <= time.time(),
    "issued-at": lambda claims: claims.get("iat", 0) <= time.time(),
    "scope": lambda claims, scope: scope in claims["scope"].split(),
}


def verifier(**changed: Callable[..., bool]) -> Callable[..., Any]:
    """A verifier by hand, with other parts."""
    parts = {**BY_HAND, **{name.replace("_", "-"): part for name, part in changed.items()}}

    def verify(token: str, keys: dict[str, bytes], issuer: str, audience: str, scope: str) -> bool:
        header, claims = map(read, token.split(".")[:2])
        known = {"token": token, "header": header, "claims": claims, "keys": keys, "issuer": issuer}
        known |= {"audience": audience, "scope": scope}
        return all(part(**{name: known[name] for name in part.__code__.co_varnames}) for part in parts.values())

    return verify


def with_pyjwt(token: str, keys: dict[str, bytes], issuer: str, audience: str, scope: str) -> bool:
    key = keys[jwt.get_unverified_header(token)["kid"]]
    required = {"require": ["exp", "iss", "aud"]}
    claims = jwt.decode(token, key, ["RS256"], required, issuer=issuer, audience=audience)
    return scope in claims["scope"].split(" ")


def quietly(token: str, *rest: Any) -> bool:
    try:
        return with_pyjwt(token, *rest)
    except (jwt.InvalidTokenError, KeyError, TypeError, OverflowError):
        return False


PATIENT = verifier(expiry=lambda claims: claims["exp"] > time.time() - 60)


@pytest.mark.parametrize(
    "verify",
    [verifier(), with_pyjwt, quietly, PATIENT],
    ids=["by hand", "PyJWT", "without exceptions", "a minute for the clocks"],
)
def test_a_right_verifier_passes(lab: Lab, verify: Callable[..., Any]) -> None:
    verdict = lab.check_task("verifier", verify)
    assert verdict.passed, verdict.text()
    assert all(piece.right for piece in verdict.pieces)


VERIFIERS: dict[str, Callable[..., Any]] = {
    "no-verdict": lambda *_: None,
    "refuses-good": lambda *_: False,
    "algorithm": verifier(algorithm=lambda: True),
    "key-id": verifier(
        signature=lambda token, header, keys: any(fits(token, key, header["alg"]) for key in keys.values())
    ),
    "signature": verifier(signature=lambda header, keys: header["kid"] in keys),
    "issuer": verifier(issuer=lambda claims, issuer: claims["iss"].startswith(issuer)),
    "audience": verifier(audience=lambda claims, audience: audience in claims["aud"]),
    "expiry": verifier(expiry=lambda claims: claims.get("exp", 1e12) > time.time()),
    "not-before": verifier(not_before=lambda: True),
    "issued-at": verifier(issued_at=lambda: True),
    "scope": verifier(scope=lambda claims, scope: scope in claims["scope"]),
}


@pytest.mark.parametrize("trap", VERIFIERS)
def test_a_wrong_verifier_is_met_with_its_sentence(lab: Lab, trap: str) -> None:
    verdict = lab.check_task("verifier", VERIFIERS[trap])
    after = lessons().tasks["verifier"].wrong[trap].rpartition("}")[2]
    assert verdict.outcome == "not yet"
    assert verdict.sentence.endswith(after)


def test_one_scope_for_all_and_one_audience_for_all_refuse_good_tokens(lab: Lab) -> None:
    for verify, name in (
        (verifier(scope=lambda claims, scope: claims["scope"] == scope), "as its issuer made it"),
        (verifier(scope=lambda claims, scope: claims["scope"].startswith(scope + " ")), "another order"),
        (verifier(audience=lambda claims, audience: claims["aud"] == audience), "one of many audiences"),
    ):
        assert name in lab.check_task("verifier", verify).sentence


def test_a_verifier_that_stops_at_a_good_token_is_told_its_line(lab: Lab) -> None:
    verdict = lab.check_task("verifier", verifier(scope=lambda claims: claims["nothing"]))
    assert "KeyError: 'nothing'" in verdict.sentence
    assert lab.check_task("verifier", "no function").sentence.startswith("A function is wanted")


async def later(*_: Any) -> bool:
    return True


def hands_on(*known: Any) -> Any:
    return later(*known)


def test_a_verifier_that_gives_something_to_await_lets_nobody_in(lab: Lab) -> None:
    for verify in (later, hands_on):
        verdict = lab.check_task("verifier", verify)
        assert verdict.outcome == "not yet"
        assert verdict.sentence.startswith("`later` is written with `async def`")


def test_every_sentence_has_its_trap() -> None:
    assert lessons().tasks["forge-none"].wrong.keys() == NONE.keys()
    assert lessons().tasks["forge-hs256"].wrong.keys() == {*HS256, "jwk"}
    assert lessons().tasks["verifier"].wrong.keys() == VERIFIERS.keys()


def test_most_of_the_bench_is_used_on_a_verifier() -> None:
    rules = [row.rule for row in chapter_07.attempts()]
    assert len(rules) > 60
    assert list(dict.fromkeys(rules)) == list(chapter_07._JUDGED)
    assert {row.name for row in chapter_07.ATTEMPTS} >= chapter_07._LEFT_OPEN


# The quiz: each token as it is shown, signed, and decided by the rules.

ASKED = lessons().quizzes["ten-tokens"].questions
NOON = 1_800_000_000


@pytest.fixture(scope="module")
def pool() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def other() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return NOON + (int(hours) - 12) * 3600 + int(minutes) * 60


def asked_of(shown: dict[str, Any], pool: Any, other: Any) -> str:
    claims = {name: at(value) if name in {"exp", "nbf", "iat"} else value for name, value in shown["claims"].items()}
    signed = f"{write(shown['header'])}.{write(claims)}"
    rs256 = jwt.get_algorithm_by_name("RS256")
    match shown["signed"]:
        case "by nobody":
            return f"{signed}."
        case "with an HMAC of the pool's public key":
            return f"{signed}.{base64url(digest(b'the public key', signed))}"
        case "with the pool's key, over the scope regular-CLIENT":
            before = f"{write(shown['header'])}.{write({**claims, 'scope': 'regular-CLIENT'})}"
            return f"{signed}.{base64url(rs256.sign(before.encode(), pool))}"
        case "with the pool's key":
            return f"{signed}.{base64url(rs256.sign(signed.encode(), pool))}"
        case "with the other pool's key" | "with a stranger's key":
            return f"{signed}.{base64url(rs256.sign(signed.encode(), other))}"
    raise AssertionError(shown["signed"])


@pytest.mark.parametrize("name", ASKED)
def test_what_the_quiz_takes_for_right_is_what_the_rules_say(name: str, pool: Any, other: Any) -> None:
    question = ASKED[name]
    shown = yaml.safe_load(question.shown)
    key, scope = shown["route"].split(" asks for ")
    request = ApiRequest((("Authorization", asked_of(shown, pool, other)),), (), "GET", key.split(" ")[1])
    jwk = {**RSAAlgorithm.to_jwk(pool.public_key(), as_dict=True), "kid": "pool-key", "alg": "RS256", "use": "sig"}
    settings = AuthorizerSettings("$request.header.Authorization", "POOL", ("CLIENT",))
    decision = decide(request, settings, Route(key, (scope,)), [jwk], at(shown["now"]))
    assert question.options[question.right].text == f"{decision.status}, {decision.rule or 'no rule refuses it'}"


def test_the_quiz_has_more_to_ask_than_it_asks_and_each_answer_its_reason() -> None:
    assert len(ASKED) >= 15
    assert lessons().quizzes["ten-tokens"].ask == 10
    assert all(len(question.options) == 4 for question in ASKED.values())
