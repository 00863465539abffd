"""Where attempts are made: the lab's own API with its users' tokens, and the what-if API with those of our issuer."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from labkit.attacks.attack import Attack, AttackReport
from labkit.attacks.forgery import Means, forge, key_id
from labkit.attacks.issuer import CERTIFICATE, KEYS, own_issuer, stranger
from labkit.attacks.rows import WHAT_IF, Attempt, Base
from labkit.attacks.what_if import ISSUER_NAME, PREDICTED_ONLY, Change, default_claims, reached, what_if_endpoint
from labkit.attacks.what_if_api import served
from labkit.errors import LabError
from labkit.questions.endpoint import LabApi, ProtectedEndpoint, Question, clock
from labkit.questions.sign_in import SignIns
from labkit.questions.words import decision_words, settings_words
from labkit.target.target import Target
from labkit.text.terms import Terms, in_words, key_words
from labkit.tokens.decision import ApiRequest, Decision
from labkit.tokens.token import decode

ROUTE = "GET /AdminUser"


class Bench:
    """Makes attempts. What they do not need is not made: no API, no sign-in.

    Args:
        target: the lab's place, with a finished lab in it.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._issuer = own_issuer()
        self._sign_ins = SignIns(target)

    def run(self, attempts: Iterable[Attempt]) -> AttackReport:
        """Make attempts. LabError if there is no finished lab."""
        return AttackReport(tuple(map(self.attack, attempts)))

    def attack(self, attempt: Attempt) -> Attack:
        """Make one attempt."""
        endpoint, token = self.endpoint(attempt), self.token(attempt)
        headers, query = sent(attempt, token)
        answer = endpoint.send(headers, query) if endpoint.url else None
        request, now = endpoint.request(headers, query), clock(answer.headers if answer is not None else {})
        decision = endpoint.predict(request, now)
        observed, unsent = (answer.status_code, "") if answer is not None else (None, PREDICTED_ONLY)
        return Attack(attempt, decision, observed, unsent, terms=self._terms(decision, request, token, now))

    def _terms(self, decision: Decision, request: ApiRequest, token: str, now: float) -> Terms:
        return in_words(
            decision_words(decision, request, decode(token), now),
            {f"{request.size:,} bytes": "more", self._issuer.url: ISSUER_NAME},
            settings_words(self._lab.authorizer),
            key_words(self._lab.published.keys),
        )

    def endpoint(self, attempt: Attempt) -> ProtectedEndpoint:
        """Where an attempt is made."""
        return self._what_if if attempt.base == WHAT_IF else self._lab

    def token(self, attempt: Attempt) -> str:
        """The forged token of an attempt."""
        original = self._original(attempt.base)
        return forge(
            attempt, original, Means(self._keys(attempt, original), self._known(attempt, original), time.time())
        )

    def _original(self, base: Base) -> str:
        match base:
            case "adminuser":
                return self._admin["id"]
            case "regularuser":
                return self._sign_ins.tokens("regularuser")["id"]
            case "access token":
                return self._admin["access"]
            case "refresh token":
                return self._admin["refresh"]
            case "signed-out user":
                return self._signed_out
        return self._issuer.token(default_claims(self._lab, self._issuer, time.time()))

    def _keys(self, attempt: Attempt, original: str) -> dict[str, Any]:
        """The keys by who signs."""
        keys = {
            "issuer": self._issuer.key,
            "stranger": stranger().key,
            "stranger's curve": _curve(),
            "a word": b"secret",
        }
        return {**keys, "public key": self._lab.published.pem[key_id(original)]} if attempt.by == "public key" else keys

    def _known(self, attempt: Attempt, original: str) -> dict[str, Any]:
        """What the names in a row stand for."""
        known = {
            "$ORIGINAL": original,
            "$CLIENT": self._lab.authorizer.audience[0],
            "$SCOPE": self._lab.scopes[0],
            "$STRANGER_KID": stranger().name,
            "$STRANGER_JWK": stranger().jwk,
            "$STRANGER_X5C": stranger().x5c,
            "$STRANGER_KEYS": f"{stranger().url}{KEYS}",
            "$STRANGER_CERTIFICATE": f"{stranger().url}{CERTIFICATE}",
        }
        if attempt.base == WHAT_IF:
            kid = self._issuer.name
            ours = {"$ISSUER": self._issuer.url, "$KID": kid, "$KID_IN_CAPITALS": kid.upper()}
            return {**known, **ours, "$ENCRYPTION_KID": self._issuer.encryption_key_id}
        signature = self._admin["id"].rpartition(".")[2]
        return {**known, "$SIGNATURE": signature, "$ACCESS_KID": key_id(self._admin["access"])}

    @cached_property
    def _lab(self) -> ProtectedEndpoint:
        lab = reached(LabApi(self._target).protected(Question(ROUTE)))
        if not lab.scopes:
            raise LabError(
                f"{ROUTE} asks for no scope, so every good token opens it.",
                "Give it its scope: labkit up --through authorizer",
            )
        return lab

    def judge(self, attempt: Attempt) -> ProtectedEndpoint:
        """What an attempt is judged by: the authorizer's settings, the route's scopes, the keys. Nothing is made."""
        return self._imagined if attempt.base == WHAT_IF else self._lab

    @cached_property
    def _imagined(self) -> ProtectedEndpoint:
        return what_if_endpoint(self._target.place, self._lab, self._issuer, Change())

    @cached_property
    def _what_if(self) -> ProtectedEndpoint:
        return served(self._target, self._imagined) if self._target.place.kind == "embedded" else self._imagined

    @property
    def _admin(self) -> dict[str, str]:
        return self._sign_ins.tokens("adminuser")

    @cached_property
    def _signed_out(self) -> str:
        """The ID token of a sign-in of its own, which is revoked as an app does when its user signs out."""
        tokens = self._sign_ins.anew("adminuser")
        client = self._lab.authorizer.audience[0]
        self._target.client("cognito-idp").revoke_token(Token=tokens["refresh"], ClientId=client)
        return tokens["id"]


def sent(attempt: Attempt, token: str) -> tuple[list[tuple[str, str]], str]:
    """The headers and the query string in which an attempt sends its token."""
    filled = Means({}, {"$TOKEN": token, "$HEADER_AND_CLAIMS": token.rpartition(".")[0]}, 0).filled
    return [(name, filled(value)) for name, value in attempt.headers], filled(attempt.query)


@cache
def _curve() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
