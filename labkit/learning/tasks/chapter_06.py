"""Chapter 06: a token taken apart, and one put together of two."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from labkit.learning.task import checks
from labkit.learning.work import NotYet, Workplace, run
from labkit.questions.endpoint import Question
from labkit.questions.explanation import explain
from labkit.questions.sign_in import SignIns

CHANGED = {"header": 0, "payload": 1, "signature": 2}


def _encoded(part: dict[str, Any]) -> str:
    text = json.dumps(part, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def samples() -> list[tuple[str | None, dict[str, Any]]]:
    """Claims whose payload is plain base64, then some that want one and two signs of padding, then base64url's letters.

    Each with the name of the mistake of a function that fails there and not before.
    """
    plain = [(mistake, {"name": "Zoë", "sub": "a" * length}) for mistake, length in _LENGTHS]
    return [*plain, *(("alphabet", {"sub": "a" * length, "name": "ÿÿ?>~"}) for length in range(1, 5))]


_LENGTHS = ((None, 3), ("padding", 2), ("padding", 1))
_HEADER = {"alg": "RS256", "typ": "JWT"}


@checks("take-apart")
def take_apart(_: Workplace, claims_of: Callable[[str], Any]) -> str:
    """Run the learner's function on tokens of every length, none of them the lab's own."""
    for mistake, claims in samples():
        try:
            found = run(claims_of, f"{_encoded(_HEADER)}.{_encoded(claims)}.c2lnbmF0dXJl")
        except NotYet as stopped:
            raise NotYet(mistake, say=stopped.said) from stopped
        if found != claims:
            wrong = _mistake(found) or mistake
            raise NotYet(wrong, say="These are not the claims.", wanted=claims, found=found)
    return "the claims came out right, whatever the token's length and letters."


def _mistake(found: Any) -> str | None:
    if found is None:
        return "nothing"
    if found == _HEADER:
        return "header"
    return "text" if isinstance(found, str | bytes) else None


@checks("forge-payload")
def forge_payload(place: Workplace, swapped: Callable[[str, str], Any]) -> str:
    """Look at what the learner's function makes of two tokens, then send it to the lab's own API."""
    sign_ins = SignIns(place.target)
    regular, admin = (sign_ins.tokens(user)["id"] for user in ("regularuser", "adminuser"))
    forged = run(swapped, regular, admin)
    if not isinstance(forged, str):
        raise NotYet("nothing" if forged is None else "no-text", found=forged)
    parts = forged.split(".")
    if len(parts) != len(CHANGED):
        raise NotYet("parts", found=len(parts))
    theirs = {name for name, index in CHANGED.items() if parts[index] == admin.split(".")[index]}
    ours = {name for name, index in CHANGED.items() if parts[index] == regular.split(".")[index]}
    if "payload" not in theirs:
        raise NotYet("own-payload" if "payload" in ours else "made-up")
    if "signature" not in ours or "header" not in ours:
        raise NotYet("whole-token" if "signature" in theirs else "made-up")
    explained = explain(place.target, Question("GET /AdminUser", token=forged))
    if explained.reply is None or explained.reply.status != HTTPStatus.UNAUTHORIZED:
        raise NotYet(say="Your API did not answer 401.", wanted=401, found=explained.observed)
    return f"sent to your API, it was answered 401, and the rule {explained.decision.rule} stopped it."
