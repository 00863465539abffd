"""The what-if panel: change a token, the clock, the key, the authorizer or the route, and see which rule decides."""

from __future__ import annotations

import json
from typing import Any

import ipywidgets as widgets

from labkit.attacks.what_if import Change, WhatIf
from labkit.errors import LabError
from labkit.target.names import USERS
from labkit.text.blocks import sentences
from labkit.views.form import Form
from labkit.views.view import View, html, stack

CLAIMS = ("scope", "aud", "iss")
CLOCK = {"now": 0.0, "in 30 minutes": 0.5, "in 2 hours": 2.0, "tomorrow": 24.0, "an hour ago": -1.0}
KEYS = {"the issuer's": "issuer", "a stranger's": "stranger"}

HINT = "A claim that you empty is taken out. A change is predicted at once, and sent when you press the button."


class WhatIfPanel(View[WhatIf]):
    """Fields to change what there is to change; above them what is answered, below them what the rules make of it.

    Args:
        result: what it begins with; its own changes are in the fields, as far as there is a field for them.
    """

    def __init__(self, result: WhatIf) -> None:
        super().__init__(result)
        self._base = result
        self._user = _choice("User", tuple(USERS), result.user)
        self._claims = {name: _text(f"Claim {name}") for name in CLAIMS}
        self._name, self._value = _text("Another claim"), _text("Its value")
        self._clock, self._key = _choice("Clock", tuple(CLOCK)), _choice("Signing key", tuple(KEYS))
        self._audience, self._scopes = _text("Authorizer's audience"), _text("Route's scopes")
        self._said, self._shown = Form(), html("")
        self._filling = False

    def build(self) -> widgets.Widget:
        """What is answered, the fields, a button that sends, one that puts everything back, and what the rules say."""
        self._fill(self._base, self._base.change)
        self._user.observe(lambda _: self._begin(), "value")
        for field in self._fields():
            field.observe(lambda _: self._try(send=False), "value")
        send, back = widgets.Button(description="Send it"), widgets.Button(description="Put back")
        send.on_click(lambda _: self._try(send=True))
        back.on_click(lambda _: self._begin())
        buttons = widgets.HBox([send, back])
        return stack(self._said, html(sentences(HINT)), self._user, *self._fields(), buttons, self._shown)

    def _fields(self) -> tuple[widgets.ValueWidget, ...]:
        token = (*self._claims.values(), self._name, self._value, self._clock, self._key)
        return (*token, self._audience, self._scopes)

    def _begin(self) -> None:
        """Begin with the chosen user's token, and nothing changed."""
        try:
            self._base = self._base.ask(self._user.value, route=self._base.route, send=False)
        except LabError as error:
            self._refuse(error)
        else:
            self._fill(self._base, Change())

    def _fill(self, shown: WhatIf, change: Change) -> None:
        """Put into the fields what there is after a change, and show what came of it."""
        self._filling = True
        claims = {
            name: value for name, value in {**shown.claims, **change.claims}.items() if name not in change.without
        }
        for name, field in self._claims.items():
            field.value = str(claims.get(name, ""))
        others = [name for name in (*change.claims, *change.without) if name not in CLAIMS]
        self._name.value = others[0] if others else ""
        self._value.value = json.dumps(claims[others[0]]) if others and others[0] in claims else ""
        self._clock.value = next((name for name, hours in CLOCK.items() if hours == change.hours_later), "now")
        self._key.value = next(name for name, key in KEYS.items() if key == change.key)
        audience, scopes = shown.endpoint.authorizer.audience, shown.endpoint.scopes
        self._audience.value = " ".join(audience if change.audience is None else change.audience)
        self._scopes.value = " ".join(scopes if change.scopes is None else change.scopes)
        self._filling = False
        self._show(shown)

    def _try(self, *, send: bool) -> None:
        """Predict what the fields say, and send it or not."""
        if self._filling:
            return
        try:
            asked = self._base.ask(self._user.value, **self.changes(), route=self._base.route, send=send)
        except LabError as error:
            self._refuse(error)
        else:
            self._show(asked)

    def _refuse(self, error: LabError) -> None:
        self._said.say([sentences(str(error))])
        self._shown.value = ""

    def _show(self, result: WhatIf) -> None:
        self._result = result
        self._said.say([result.answer()])
        self._shown.value = html(result.html()).value

    def changes(self) -> dict[str, Any]:
        """What the fields change, as arguments of `lab.what_if`."""
        typed = {name: field.value.strip() for name, field in self._claims.items()}
        claims = {name: value for name, value in typed.items() if value and value != self._base.claims.get(name)}
        without = [name for name, value in typed.items() if not value and name in self._base.claims]
        name, value = self._name.value.strip(), self._value.value.strip()
        if name and value:
            claims |= {name: _json(value)}
        elif name in self._base.claims:
            without.append(name)
        return {
            "claims": claims,
            "without": without,
            "hours_later": CLOCK[self._clock.value],
            "key": KEYS[self._key.value],
            "audience": self._audience.value.split(),
            "scopes": self._scopes.value.split(),
        }


def _json(text: str) -> Any:
    """What a text says as JSON; the text itself if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(label: str) -> widgets.Text:
    # What is typed counts when it is finished: with Enter, or when the field is left.
    return widgets.Text(description=label, continuous_update=False, **_LOOKS)


def _choice(label: str, options: tuple[str, ...], value: str | None = None) -> widgets.Dropdown:
    return widgets.Dropdown(description=label, options=options, value=value or options[0], **_LOOKS)


# A widget's margins, two pixels on either side, come to its width.
_LAYOUT = {"width": "46em", "max_width": "calc(100% - 4px)"}
_LOOKS: dict[str, Any] = {"style": {"description_width": "11em"}, "layout": _LAYOUT}
