"""A token read: what it is, what each claim says, and whether its signature is good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from labkit.questions.words import place_words, token_words
from labkit.text.blocks import Block, Say, Table, sentences
from labkit.text.shown import Shown
from labkit.text.terms import about, in_words, key_words
from labkit.tokens.token import ClaimNote, SignatureCheck, Token, cut, decode, describe, describe_header, verify

if TYPE_CHECKING:
    from labkit.target.target import Place

NOTE = "what it says, who sets it, who checks it"
WIDTHS = (24, 50, 60)

BADGES = {
    "valid": "✓ valid signature",
    "invalid": "✗ invalid signature",
    "unknown key": "✗ signed with an unknown key",
    "cannot be checked": "· signature not checked",
}

# Told apart by line and name as well as by colour (Okabe and Ito's, which colour-blind people tell apart).
PARTS = (
    ("header", "solid #0072B2"),
    ("payload", "dashed #D55E00"),
    ("signature", "dotted #CC79A7"),
)


@dataclass(frozen=True, repr=False)
class Reading(Shown):
    """A token with its claims explained.

    `now` is the reader's clock in seconds since 1970. `keys` is a sentence on where the keys came from that the
    signature was checked with, or on why it was not checked. `names` are the claims to show; all if there are none.
    """

    token: Token
    now: float
    verdict: SignatureCheck
    keys: str
    names: tuple[str, ...] = ()

    @property
    def badge(self) -> str:
        """The state of the signature as sign and words."""
        return BADGES[self.verdict.state]

    def blocks(self) -> Iterator[Block]:
        """The cut token, what it is, the state of its signature, then a row for each claim."""
        if self.token.signed:
            yield CutToken(cut(self.token.raw), tuple(self._sentences()))
        else:
            yield sentences(*self._sentences())
        yield Table(("header", "value", NOTE), self.header_rows(), WIDTHS)
        yield Table(("claim", "value", NOTE), self.claim_rows(), WIDTHS)

    def to_dict(self) -> dict[str, Any]:
        """The token, every note on its `header_notes` and `claim_notes`, and the `verdict` on its signature."""
        return {
            **self.token.to_dict(),
            "header_notes": [note.to_dict() for note in describe_header(self.token)],
            "claim_notes": [note.to_dict() for note in describe(self.token, self.now)],
            "verdict": self.verdict.to_dict(),
            "keys": self.keys,
        }

    def header_rows(self) -> list[tuple[str, str, str]]:
        """A row for each parameter of the header, unless only some claims are to be shown."""
        return [] if self.names else [_row(note) for note in describe_header(self.token)]

    def claim_rows(self) -> list[tuple[str, str, str]]:
        """A row for each claim to be shown: name, value, sentence."""
        notes = {note.name: note for note in describe(self.token, self.now)}
        if not self.names:
            return [_row(note) for note in notes.values()]
        return [_row(notes[name]) if name in notes else (name, "none", NO_CLAIM) for name in self.names]

    def _sentences(self) -> Iterator[str]:
        yield self.token.sentence
        if self.token.signed:
            yield f"{self.badge}. {self.verdict.sentence}"
            if not self.names:
                yield self.keys


def _row(note: ClaimNote) -> tuple[str, str, str]:
    return note.name, f"{note.value} ({note.when}, {note.distance})" if note.when else note.value, note.sentence


@dataclass(frozen=True)
class CutToken(Block):
    """A token cut short, with the sentences about it. HTML names its parts."""

    cut: str
    said: tuple[str, ...]

    def text(self, say: Say = str) -> str:
        """The token on a line of its own."""
        return f"{self.cut}\n{sentences(*self.said).text(say)}"

    def html(self, say: Say = str) -> str:
        """The parts of the token, each with its name and a line of its own kind under it."""
        return html_parts(self.cut) + sentences(*self.said).html(say)


NO_CLAIM = "This token has no such claim."
NOT_CHECKED = SignatureCheck("cannot be checked", "The keys of its issuer are not at hand.")
OUT_OF_REACH = SignatureCheck("cannot be checked", "There is no lab at hand that could tell its issuer's keys.")


def read(text: str, now: float, place: Place | None = None, names: Sequence[str] = ()) -> Reading:
    """Read a text as a token and check its signature, if the keys can be had. Nothing is raised.

    Args:
        text: the token, after `Bearer` or not.
        now: the reader's clock, in seconds since 1970.
        place: where the keys of user pools are served; None if they are out of reach.
        names: the claims to show.
    """
    token = decode(text)
    if token.signed is None:
        return Reading(token, now, verify(token, ()), "", tuple(names))
    if place is None:
        return Reading(token, now, OUT_OF_REACH, "", tuple(names))
    from labkit.questions.published_keys import keys_for  # noqa: PLC0415 - without a lab nothing is fetched

    published = keys_for(place, token.claims.get("iss"))
    verdict = verify(token, published.keys) if published.reached else NOT_CHECKED
    words = _time_words(token, now), token_words(token), key_words(published.keys), place_words(place)
    return Reading(token, now, verdict, published.sentence, tuple(names), terms=in_words(*words))


def _time_words(token: Token, now: float) -> dict[str, str]:
    """The words for the times that a token says, as its rows tell them."""
    return {_row(note)[1]: about(float(note.value) - now) for note in describe(token, now) if note.when}


def html_parts(cut: str) -> str:
    """The parts of a cut token, each with its name and a line of its own kind under it."""
    parts = zip(cut.split("."), PARTS, strict=True)
    spans = [
        f'<span style="border-bottom: 3px {line}; padding: 0 2px">{escape(part)}</span> <sub>{name}</sub>'
        for part, (name, line) in parts
    ]
    return f"<p><code>{' . '.join(spans)}</code></p>"
