"""Widgets say what their results say, show no whole token, and leave text and HTML where no kernel runs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape

import ipywidgets as widgets
import pytest

from labkit.attacks.what_if import WhatIf
from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.views import AccessMatrix, Ladder, TokenExplorer, WhatIfPanel, view
from labkit.views.form import Form, TaskCard
from labkit.views.token_explorer import remaining
from labkit.views.view import View
from tests.signing import signed

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def lab(new_lab: Callable[..., Lab]) -> Lab:
    """A whole lab."""
    lab = new_lab()
    lab.up()
    return lab


def inside(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from inside(child)


def said(widget: widgets.Widget) -> str:
    """All text in a widget, with what its buttons and choices are called."""
    parts = ("value", "description", "said")
    text = "\n".join(str(getattr(w, part, "")) for w in inside(widget) for part in parts)
    return unescape(text).replace("<span>$</span>", "$")


def button(widget: widgets.Widget, description: str) -> widgets.Button:
    return next(w for w in inside(widget) if isinstance(w, widgets.Button) and w.description == description)


def choice(widget: widgets.Widget, kind: type[widgets.Widget]) -> widgets.Widget:
    return next(w for w in inside(widget) if isinstance(w, kind))


def test_each_result_has_its_view(lab: Lab) -> None:
    assert isinstance(view(lab.read("hello")), TokenExplorer)
    assert isinstance(view(lab.explain("GET /AdminUser")), Ladder)
    assert isinstance(view(lab.access()), AccessMatrix)
    assert isinstance(view(lab.what_if(send=False)), WhatIfPanel)


def test_what_has_no_view_is_told_so(lab: Lab) -> None:
    with pytest.raises(UsageError, match=r"There is no view of a Reply\. Give what lab\.read, lab\.explain"):
        view(lab.call("GET /AdminUser"))  # type: ignore[arg-type] # as somebody may


def test_a_notebook_keeps_text_and_html_of_the_result_beside_the_widget(lab: Lab) -> None:
    for result in (lab.read(lab.tokens("adminuser")["id"]), lab.explain("GET /AdminUser", "regularuser"), lab.access()):
        bundle = view(result)._repr_mimebundle_()
        assert bundle["text/plain"] == result.text() == repr(view(result))
        assert bundle["text/html"] == result.html()
        assert set(bundle) == {"text/plain", "text/html", VIEW}


ADVICE = "See why: labkit check, and mend it: labkit up --through http-api"


def refusing(*_: object, **__: object) -> WhatIf:
    raise LabError("There is no answer.", ADVICE)


def advising(lab: Lab) -> dict[str, View]:
    """Views of results that advise something, each as a person comes to see it."""
    explained = replace(lab.explain("GET /AdminUser"), remarks=(ADVICE,))
    matrix = AccessMatrix(replace(lab.access(), explanations=(explained,)))
    choice(matrix.widget, widgets.Button).click()
    panel = WhatIfPanel(replace(lab.what_if(send=False), ask=refusing))
    button(panel.widget, "Send it").click()
    card = lab.task("trigger")
    return {
        "ladder": Ladder(explained),
        "matrix": matrix,
        "what-if": panel,
        "card": TaskCard(replace(card, task=replace(card.task, what=ADVICE))),
    }


def test_a_widget_and_its_text_name_the_notebooks_verbs(lab: Lab) -> None:
    for name, made in advising(lab).items():
        content = "".join(form.content for form in inside(made.widget) if isinstance(form, Form))
        seen = said(made.widget) + unescape(content)
        assert 'See why: lab.check(), and mend it: lab.up("http-api")' in seen, name
        bundle = made._repr_mimebundle_()
        assert not re.search(r"labkit (check|up)", seen + bundle["text/plain"] + bundle["text/html"]), name


def test_the_explorer_explains_the_chosen_part(lab: Lab) -> None:
    widget = view(lab.read(lab.tokens("adminuser")["id"])).widget
    part = choice(widget, widgets.ToggleButtons)
    assert part.options == ("Header", "Claims", "Signature")
    client, pool = (lab.status().ids[name] for name in ("app_client_id", "user_pool_id"))
    assert f"admin-{client} regular-{client}" in said(widget)
    part.value = "Header"
    assert "How the token was signed" in said(widget)
    part.value = "Signature"
    assert "nobody can change either without the issuer's private key" in said(widget)
    assert f"{lab.target.place.credentials['AWS_ENDPOINT_URL']}/{pool}/.well-known/jwks.json" in said(widget)


@pytest.mark.usefixtures("stable_outputs")
def test_a_widget_shows_real_values_even_where_its_text_is_stable(lab: Lab) -> None:
    client = lab.status().ids["app_client_id"]
    for made in (view(lab.read(lab.tokens("adminuser")["id"])), view(lab.explain("GET /AdminUser", "adminuser"))):
        assert f"admin-{client}" in said(made.widget)
        assert client not in repr(made)


def test_the_explorer_has_badge_and_countdown(lab: Lab) -> None:
    header, _, signature = lab.tokens("regularuser")["id"].split(".")
    payload = lab.tokens("adminuser")["id"].split(".")[1]
    good, forged = (
        said(view(lab.read(token)).widget)
        for token in (lab.tokens("adminuser")["id"], f"{header}.{payload}.{signature}")
    )
    assert "✓ valid signature" in good
    assert "expires in 59:" in good or "expires in 1:00:00" in good
    assert "✗ invalid signature" in forged


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "does not say when it expires"),
        (-1, "has expired: sign in again"),
        (0, "has expired: sign in again"),
        (59.9, "expires in 0:59"),
        (3571, "expires in 59:31"),
        (3600, "expires in 1:00:00"),
        (29 * 86400 + 5, "expires in 29 days"),
    ],
)
def test_the_time_that_is_left(seconds: float | None, words: str) -> None:
    assert remaining(seconds) == words


def test_the_countdown_runs_until_the_token_has_expired(lab: Lab) -> None:
    token = signed({"exp": time.time() + 1.2})

    async def watch() -> list[str]:
        widget = view(lab.read(token)).widget
        seen = [said(widget)]
        while "has expired" not in seen[-1]:
            await asyncio.sleep(0.1)
            seen.append(said(widget))
        return seen

    assert "expires in 0:0" in asyncio.run(asyncio.wait_for(watch(), 30))[0]


def test_no_view_holds_a_signature_until_it_is_asked_for(lab: Lab) -> None:
    token = lab.tokens("adminuser")["id"]
    widget = view(lab.read(token)).widget
    signature = token.split(".")[2]

    async def press() -> str:
        button(widget, "Copy the whole token").click()
        return str(choice(widget, widgets.Output).outputs)

    assert signature not in str([w.get_state() for w in inside(widget)])
    assert token in asyncio.run(press())


def test_what_is_no_token_has_nothing_to_copy(lab: Lab) -> None:
    widget = view(lab.read("hello")).widget
    assert "It has 1 part" in said(widget)
    assert not [w for w in inside(widget) if isinstance(w, widgets.Button)]


def test_the_ladder_opens_the_rung_that_failed(lab: Lab) -> None:
    text = said(view(lab.explain("GET /AdminUser", "regularuser")).widget)
    assert text.count("<li ") == 12
    assert text.count("<details open>") == 1
    assert '<li class="failed"><details open><summary><span class="rung"><b class="sign">✗ failed</b>' in text
    assert "as predicted." in text
    assert "labkit token regularuser" in text


def test_the_ladder_without_an_answer_has_no_curl_line(lab: Lab) -> None:
    widget = view(lab.explain("GET /AdminUser", observe=False)).widget
    assert "The request was not sent." in said(widget)
    assert "curl" not in said(widget)


def test_a_cell_of_the_matrix_leads_to_its_rules(lab: Lab) -> None:
    widget = view(lab.access()).widget
    cells = [w for w in inside(widget) if isinstance(w, widgets.Button)]
    assert [cell.description for cell in cells] == [
        "401 ✓ as predicted", "401 ✓ as predicted",
        "403 ✓ as predicted", "200 ✓ as predicted",
        "200 ✓ as predicted", "200 ✓ as predicted",
        "403 ✓ as predicted", "403 ✓ as predicted",
    ]  # fmt: skip
    cells[2].click()
    assert "GET /AdminUser as regularuser: 403, refused by the rule scope." in said(widget)


def test_every_control_has_a_label(lab: Lab) -> None:
    controls = (widgets.Button, widgets.Text, widgets.Dropdown, widgets.ToggleButtons)
    for result in (lab.read(lab.tokens("adminuser")["id"]), lab.explain("GET /AdminUser"), lab.access(),
                   lab.what_if(send=False)):  # fmt: skip
        found = [part for part in inside(view(result).widget) if isinstance(part, controls)]
        assert found
        assert [part for part in found if not part.description] == []


def test_what_answers_a_person_is_read_out(lab: Lab) -> None:
    matrix, panel = view(lab.access()).widget, view(lab.what_if(send=False)).widget
    button(matrix, "403 ✓ as predicted").click()
    next(part for part in inside(panel) if isinstance(part, widgets.Text)).value = ""
    assert choice(matrix, Form).said == "<p>GET /AdminUser as regularuser: 403, refused by the rule scope.</p>"
    assert "200 becomes 403: the rule scope fails." in choice(panel, Form).said


def test_nothing_is_told_by_colour_alone(lab: Lab) -> None:
    forged = lab.tokens("adminuser")["id"][:-4] + "AAAA"
    text = "".join(
        said(view(result).widget) for result in (lab.read(forged), lab.explain("GET /AdminUser", "regularuser"))
    )
    coloured = re.findall(r'class="(?:badge bad|failed|passed|not-reached)".*?(?=</span>|</b>)', text)
    assert len(coloured) > len(lab.explain("GET /AdminUser", observe=False).decision.rules)
    assert [each for each in coloured if each[-12:].split(">")[-1][:1] not in "✓✗·" and "✗" not in each] == []
