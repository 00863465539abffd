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


def samples() -> list[dict[str, Any]]:
    """Claims whose payloads need no, one and two signs of padding, and both letters that are base64url's own."""
    return [{"sub": "a" * length, "name": "Zoë ÿÿ?>~", "aud": "abc"} for length in range(1, 5)]


@checks("take-apart")
def take_apart(_: Workplace, claims_of: Callable[[str], Any]) -> str:
    """Run the learner's function on tokens of every length, none of them the lab's own."""
    for claims in samples():
        header = {"alg": "RS256", "typ": "JWT"}
        found = run(claims_of, f"{_encoded(header)}.{_encoded(claims)}.c2lnbmF0dXJl")
        if found != claims:
            raise NotYet(_mistake(found, header), say="These are not the claims.", wanted=claims, found=found)
    return "the claims came out right, whatever the token's length and letters."


def _mistake(found: Any, header: dict[str, Any]) -> str | None:
    if found is None:
        return "nothing"
    if found == header:
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
