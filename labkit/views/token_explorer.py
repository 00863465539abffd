"""A token taken apart: its three parts, every claim explained, the time that is left, and its signature checked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

import ipywidgets as widgets

from labkit.questions.token_reading import Reading, html_parts
from labkit.text.blocks import sentences
from labkit.tokens.jws import numeric_date
from labkit.tokens.token import Token, cut
from labkit.views.copy_button import copy_button
from labkit.views.view import View, every_second, html, stack

WARNING = "Whoever has the whole token may use it until it expires, so paste it nowhere but into your own terminal."


class TokenExplorer(View[Reading]):
    """A reading with a button for each part of the token, a countdown, and a button that copies the whole token."""

    def build(self) -> widgets.Widget:
        """The state of the token, its parts to choose from, the chosen one explained, and the copy button."""
        token = self._result.token
        if token.signed is None:
            return stack(html(self._result.html()))
        return stack(
            html(f"<p><b>{escape(token.sentence)}</b></p>{html_parts(cut(token.raw))}"),
            widgets.HBox([html(_badge(self._result)), _countdown(token)], layout={"grid_gap": "1em"}),
            *self._parts(),
            copy_button("Copy the whole token", token.raw),
            html(sentences(WARNING)),
        )

    def _parts(self) -> list[widgets.Widget]:
        """The buttons that choose a part, and the part."""
        part = widgets.ToggleButtons(options=["Header", "Claims", "Signature"], value="Claims", description="Part:")
        part.style.button_width = "auto"
        shown = html("")

        def show(_: object) -> None:
            shown.value = html(_PARTS[part.value](self._result)).value

        part.observe(show, "value")
        show(None)
        return [part, shown]


def _header(reading: Reading) -> str:
    return _table(reading.header_rows())


def _claims(reading: Reading) -> str:
    return _table(reading.claim_rows())


def _signature(reading: Reading) -> str:
    over = "It is made over header and payload together: nobody can change either without the issuer's private key."
    return sentences(f"{reading.badge}. {reading.verdict.sentence}", reading.keys, over).html()


_PARTS = {"Header": _header, "Claims": _claims, "Signature": _signature}


def _badge(reading: Reading) -> str:
    good = reading.verdict.state in ("valid", "cannot be checked")
    return f'<p><span class="badge{"" if good else " bad"}">{reading.badge}</span></p>'


def _countdown(token: Token) -> widgets.HTML:
    """The time that is left, which goes on while the kernel has nothing else to do."""
    clock, expiry = html(""), numeric_date(token.claims.get("exp"))

    def tick() -> bool:
        left = None if expiry is None else expiry - time.time()
        clock.value = html(f'<p><span class="badge">{remaining(left)}</span></p>').value
        return left is not None and left > 0

    tick()
    every_second(tick)
    return clock


def remaining(seconds: float | None) -> str:
    """The time that a token has left: `expires in 59:31`."""
    if seconds is None:
        return "does not say when it expires"
    if seconds <= 0:
        return "has expired: sign in again"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"expires in {days} days"
    return f"expires in {hours}:{minutes:02}:{rest:02}" if hours else f"expires in {minutes}:{rest:02}"


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    body = "".join(
        f"<tr><td><b>{escape(name)}</b></td><td><code>{escape(value)}</code></td><td>{escape(note)}</td></tr>"
        for name, value, note in rows
    )
    return f"<table>{body}</table>"
