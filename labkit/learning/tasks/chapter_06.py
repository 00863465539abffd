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
from labkit.text.wording import counted
from labkit.tokens.token import decode

CHANGED = {"header": 0, "payload": 1, "signature": 2}


def _encoded(part: dict[str, Any]) -> str:
    text = json.dumps(part, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def samples() -> list[tuple[str | None, dict[str, Any]]]:
    """Claims whose payload is plain base64, then some that want one and two signs of padding, then base64url's letters.

    Each with the name of the mistake of a function that fails there and not before. What is no text is in them too:
    whoever takes JSON for Python fails at it.
    """
    plain = [(mistake, {**_SAID, "sub": "a" * length}) for mistake, length in _LENGTHS]
    return [*plain, *(("alphabet", {"sub": "a" * length, "name": "ÿÿ?>~"}) for length in range(1, 5))]


_SAID = {"name": "Zoë", "email_verified": True, "exp": 1900000000}
_LENGTHS = ((None, 2), ("padding", 1), ("padding", 3))
_HEADER = {"alg": "RS256", "typ": "JWT"}


@checks("take-apart")
def take_apart(_: Workplace, claims_of: Callable[[str], Any]) -> str:
    """Run the learner's function on tokens of every length, none of them the lab's own."""
    for mistake, claims in samples():
        token = f"{_encoded(_HEADER)}.{_encoded(claims)}.c2lnbmF0dXJl"
        try:
            found = run(claims_of, token)
        except NotYet as stopped:
            raise NotYet(mistake, say=stopped.said) from stopped
        if found != claims:
            wrong = _mistake(found, token) or mistake
            raise NotYet(wrong, say="These are not the claims.", wanted=claims, found=found)
    return "the claims came out right, whatever the token's length and letters."


def _mistake(found: Any, token: str) -> str | None:
    if found is None:
        return "nothing"
    if found == _HEADER:
        return "header"
    text = found.decode(errors="replace") if isinstance(found, bytes) else found
    if isinstance(text, str):
        return "encoded" if text.rstrip("=") in token else "text"
    return None


@checks("forge-payload")
def forge_payload(place: Workplace, swapped: Callable[[str, str], Any]) -> str:
    """Look at what the learner's function makes of two tokens, then send it to the lab's own API."""
    sign_ins = SignIns(place.target)
    regular, admin = (sign_ins.tokens(user)["id"] for user in ("regularuser", "adminuser"))
    forged = run(swapped, regular, admin)
    if forged is None:
        raise NotYet("nothing")
    if not isinstance(forged, str):
        raise NotYet("no-text", found=type(forged).__name__)
    parts = forged.split(".")
    if len(parts) != len(CHANGED):
        raise NotYet("parts", found=counted(len(parts), "part"))
    theirs = {name for name, index in CHANGED.items() if parts[index] == admin.split(".")[index]}
    ours = {name for name, index in CHANGED.items() if parts[index] == regular.split(".")[index]}
    if decode(forged).claims == decode(admin).claims:  # written anew it is the same payload
        theirs.add("payload")
    if "payload" not in theirs:
        own = "other-way" if "signature" in theirs else "own-payload"
        raise NotYet(own if "payload" in ours else "made-up")
    if "signature" not in ours or "header" not in ours:
        raise NotYet("whole-token" if "signature" in theirs else "made-up")
    explained = explain(place.target, Question("GET /AdminUser", token=forged))
    if explained.reply is None or explained.reply.status != HTTPStatus.UNAUTHORIZED:
        raise NotYet(say="Your API did not answer 401.", wanted=401, found=explained.observed)
    return f"sent to your API, it was answered 401, and the rule {explained.decision.rule} stopped it."
