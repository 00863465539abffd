"""A token read: what it is, what each claim says, and whether its signature is good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from labkit.questions.published_keys import keys_for
from labkit.target.target import Place
from labkit.text.shown import Shown, html_paragraph, html_table, text_table
from labkit.text.terms import EXACT, Terms
from labkit.tokens import token as tokens
from labkit.tokens.token import ClaimNote, Token, Verdict

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
    verdict: Verdict
    keys: str
    names: tuple[str, ...] = ()
    terms: Terms = EXACT

    @property
    def badge(self) -> str:
        """The state of the signature as sign and words."""
        return BADGES[self.verdict.state]

    @property
    def readable(self) -> bool:
        """Whether the text is a token, signed or encrypted."""
        return self.token.problem is None

    def in_terms(self, terms: Terms) -> Reading:
        """The same, told in a lab's terms."""
        return replace(self, terms=terms)

    def text(self) -> str:
        """The cut token, what it is, the state of its signature, then a row for each claim."""
        tables = [text_table((heading, "value", NOTE), rows, WIDTHS) for heading, rows in self._tables()]
        return "\n\n".join(["\n".join([*self._cut(), *self._sentences()]), *tables])

    def html(self) -> str:
        """The same, with the name of each part of the token."""
        tables = [html_table((heading, "value", NOTE), rows) for heading, rows in self._tables()]
        return "".join([*map(html_parts, self._cut()), *map(html_paragraph, self._sentences()), *tables])

    def to_dict(self) -> dict[str, Any]:
        """The token, every note on its `header_notes` and `claim_notes`, and the `verdict` on its signature."""
        return {
            **self.token.to_dict(),
            "header_notes": [note.to_dict() for note in tokens.describe_header(self.token)],
            "claim_notes": [note.to_dict() for note in tokens.describe(self.token, self.now)],
            "verdict": self.verdict.to_dict(),
            "keys": self.keys,
        }

    def _tables(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        tables = [("header", self.header_rows()), ("claim", self.claim_rows())]
        return [(heading, rows) for heading, rows in tables if rows]

    def header_rows(self) -> list[tuple[str, str, str]]:
        """A row for each parameter of the header, unless only some claims are to be shown."""
        return [] if self.names else [self._row(note) for note in tokens.describe_header(self.token)]

    def claim_rows(self) -> list[tuple[str, str, str]]:
        """A row for each claim to be shown: name, value, sentence."""
        notes = {note.name: note for note in tokens.describe(self.token, self.now)}
        if not self.names:
            return [self._row(note) for note in notes.values()]
        return [self._row(notes[name]) if name in notes else (name, "none", NO_CLAIM) for name in self.names]

    def _row(self, note: ClaimNote) -> tuple[str, str, str]:
        if not note.when:
            return note.name, self.terms.say(note.value), note.sentence
        when = self.terms.when(float(note.value), self.now)
        return note.name, f"{note.value} ({when})" if self.terms.exact else when, note.sentence

    def _cut(self) -> list[str]:
        return [tokens.cut(self.token.raw)] if self.token.signed else []

    def _sentences(self) -> Iterator[str]:
        yield self.terms.say(self.token.sentence)
        if self.token.signed:
            yield f"{self.badge}. {self.terms.say(self.verdict.sentence)}"
            if self.keys and not self.names:
                yield self.terms.say(self.keys)


NO_CLAIM = "This token has no such claim."


def read(text: str, now: float, place: Place | None = None, names: Sequence[str] = ()) -> Reading:
    """Read a text as a token and check its signature, if the keys can be had. Nothing is raised.

    Args:
        text: the token, after `Bearer` or not.
        now: the reader's clock, in seconds since 1970.
        place: where the keys of user pools are served; None if they are out of reach.
        names: the claims to show.
    """
    token = tokens.decode(text)
    if token.signed is None:
        return Reading(token, now, tokens.verify(token, ()), "", tuple(names))
    if place is None:
        return Reading(token, now, OUT_OF_REACH, "", tuple(names))
    published = keys_for(place, token.claims.get("iss"))
    verdict = tokens.verify(token, published.keys) if published.reached else NOT_CHECKED
    return Reading(token, now, verdict, published.sentence, tuple(names))


NOT_CHECKED = Verdict("cannot be checked", "The keys of its issuer are not at hand.")
OUT_OF_REACH = Verdict("cannot be checked", "There is no lab at hand that could tell its issuer's keys.")


def html_parts(cut: str) -> str:
    """The parts of a cut token, each with its name and a line of its own kind under it."""
    parts = zip(cut.split("."), PARTS, strict=True)
    spans = [
        f'<span style="border-bottom: 3px {line}; padding: 0 2px">{escape(part)}</span> <sub>{name}</sub>'
        for part, (name, line) in parts
    ]
    return f"<p><code>{' . '.join(spans)}</code></p>"
