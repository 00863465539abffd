"""The what-if panel, worked as a person would: by its fields and buttons."""

from __future__ import annotations

from html import unescape
from typing import Any

import ipywidgets as widgets
import pytest

from labkit.lab import Lab
from labkit.views import view
from labkit.views.form import Form
from labkit.views.view import View


class Hands:
    """Somebody at the panel."""

    def __init__(self, panel: View) -> None:
        self.panel = panel
        self.parts = [*_within(panel.widget)]

    def field(self, label: str) -> Any:
        return next(part for part in self.parts if getattr(part, "description", "") == label)

    def type(self, label: str, value: str) -> None:
        self.field(label).value = value

    def press(self, label: str) -> None:
        self.field(label).click()

    @property
    def seen(self) -> str:
        return unescape(self.said + self.parts[-1].value)

    @property
    def said(self) -> str:
        """What stands above the fields and is read out."""
        return str(self.parts[1].said)


def _within(widget: widgets.Widget) -> list[widgets.Widget]:
    children = getattr(widget, "children", ())
    return [part for child in children for part in _within(child)] if children else [widget]


@pytest.fixture
def hands(lab: Lab) -> Hands:
    return Hands(view(lab.what_if("adminuser", send=False)))


def test_it_begins_with_the_users_token_and_the_labs_route(lab: Lab, hands: Hands) -> None:
    client = lab.status().ids["app_client_id"]
    assert hands.field("Claim scope").value == f"admin-{client} regular-{client}"
    assert hands.field("Claim aud").value == client
    assert hands.field("Authorizer's audience").value == client
    assert hands.field("Route's scopes").value == f"admin-{client}"
    assert "Nothing is changed." in hands.seen


def test_a_change_that_was_asked_for_is_in_its_fields(lab: Lab) -> None:
    asked = lab.what_if(
        "regularuser", without="scope", claims={"nbf": 5}, hours_later=2, key="stranger", scopes="one", send=False
    )
    hands = Hands(view(asked))
    labels = ("User", "Claim scope", "Another claim", "Its value", "Clock", "Signing key", "Route's scopes")
    expected = ["regularuser", "", "nbf", "5", "in 2 hours", "a stranger's", "one"]
    assert [hands.field(label).value for label in labels] == expected
    assert repr(hands.panel) == asked.text()
    hands.type("Route's scopes", "two")
    assert "route's scopes" in hands.seen
    assert '"two"' in hands.seen
    hands.press("Put back")
    assert "Nothing is changed." in hands.seen


def test_a_change_is_predicted_at_once_and_sent_on_demand(hands: Hands) -> None:
    hands.type("Claim scope", "nothing")
    assert "200 becomes 403: the rule scope fails." in hands.seen
    assert "200 becomes 403: the rule scope fails." in hands.said
    assert "It was not sent." in hands.said
    hands.press("Send it")
    assert "The what-if API answered 403, as predicted." in hands.said


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"Claim scope": ""}, "200 becomes 403: the rule scope fails."),
        ({"Claim aud": "another"}, "200 becomes 401: the rule audience fails."),
        ({"Claim iss": "https://issuer.example"}, "200 becomes 401: the rule issuer fails."),
        ({"Another claim": "exp"}, "200 becomes 401: the rule expiry fails."),
        ({"Another claim": "nbf", "Its value": "4000000000"}, "200 becomes 401: the rule not-before fails."),
        ({"Another claim": "exp", "Its value": "soon"}, "200 becomes 401: the rule expiry fails."),
        ({"Clock": "in 2 hours"}, "200 becomes 401: the rule expiry fails."),
        ({"Clock": "in 30 minutes"}, "It stays 200: no rule fails."),
        ({"Signing key": "a stranger's"}, "200 becomes 401: the rule signature fails."),
        ({"Authorizer's audience": "one two"}, "200 becomes 401: the rule audience fails."),
        ({"Route's scopes": "another"}, "200 becomes 403: the rule scope fails."),
        ({"Route's scopes": ""}, "It stays 200: no rule fails."),
    ],
)
def test_every_field_changes_what_it_says(hands: Hands, fields: dict[str, str], outcome: str) -> None:
    for label, value in fields.items():
        hands.type(label, value)
    assert outcome in hands.seen


def test_everything_can_be_put_back(hands: Hands) -> None:
    hands.type("Claim scope", "nothing")
    hands.type("Clock", "tomorrow")
    hands.press("Put back")
    assert hands.field("Clock").value == "now"
    assert "Nothing is changed." in hands.seen


def test_another_user_brings_another_token(hands: Hands) -> None:
    hands.type("User", "regularuser")
    assert hands.field("Claim scope").value.startswith("regular-")
    assert "It stays 403: the rule scope fails." in hands.seen


def test_its_text_and_html_are_those_of_what_is_seen(hands: Hands) -> None:
    hands.type("Clock", "in 2 hours")
    bundle = hands.panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == repr(hands.panel)
    assert "200 becomes 401: the rule expiry fails." in bundle["text/plain"]
    assert bundle["text/html"] in hands.parts[-1].value


def test_every_field_has_a_label_and_is_one_that_a_keyboard_works(hands: Hands) -> None:
    controls = [part for part in hands.parts if not isinstance(part, widgets.HTML | Form)]
    assert len(controls) == 12
    assert all(isinstance(part, widgets.Text | widgets.Dropdown | widgets.Button) for part in controls)
    assert all(part.description for part in controls)


def test_what_went_wrong_is_said_in_the_panel(lab: Lab, hands: Hands) -> None:
    gateway = lab.target.client("apigatewayv2")
    api = {"ApiId": lab.status().ids["api_id"]}
    gateway.update_api(**api, Name="renamed")
    try:
        hands.type("Claim scope", "nothing")
        assert "There is no HTTP API of this lab" in hands.said
        hands.press("Put back")
        assert "There is no HTTP API of this lab" in hands.said
    finally:
        gateway.update_api(**api, Name=lab.target.names.api)
