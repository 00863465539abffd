"""Whatever a question is asked with that makes no sense is named, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.errors import UsageError
from labkit.lab import Lab
from tests.labs import lab_at

ADMIN = "GET /AdminUser"
ODD: list[Any] = [5, None, ["a"], {"a": 1}, b"x", ""]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab that does not exist: who asks it with sense is told so."""
    return lab_at(tmp_path / "home", "nowhere")


ONE_OF_A_FEW: dict[str, Callable[[Lab, Any], object]] = {
    "call route": lambda lab, odd: lab.call(odd),
    "explain route": lambda lab, odd: lab.explain(odd),
    "what_if route": lambda lab, odd: lab.what_if(route=odd),
    "call stage": lambda lab, odd: lab.call(ADMIN, stage=odd),
    "explain stage": lambda lab, odd: lab.explain(ADMIN, stage=odd),
    "call kind": lambda lab, odd: lab.call(ADMIN, "adminuser", kind=odd),
    "explain kind": lambda lab, odd: lab.explain(ADMIN, "adminuser", kind=odd),
    "tokens user": lambda lab, odd: lab.tokens(odd),
    "password user": lambda lab, odd: lab.password(odd),
    "group's user": lambda lab, odd: lab.add_to_group(odd, "admin"),
    "group": lambda lab, odd: lab.add_to_group("adminuser", odd),
    "source function": lambda lab, odd: lab.source(odd),
    "invoke function": lambda lab, odd: lab.invoke(odd, {}),
    "key": lambda lab, odd: lab.what_if(key=odd),
    "attempt": lambda lab, odd: lab.attack(odd),
    "rule": lambda lab, odd: lab.attack_bench(odd),
}


@pytest.mark.parametrize("odd", [*ODD, "acess"], ids=repr)
@pytest.mark.parametrize("name", ONE_OF_A_FEW)
def test_what_is_none_of_a_few_is_told_which_there_are(lab: Lab, name: str, odd: Any) -> None:
    with pytest.raises(UsageError) as error:
        ONE_OF_A_FEW[name](lab, odd)
    assert repr(odd) in error.value.problem
    assert error.value.remedy.startswith("Name ")


@pytest.mark.parametrize("odd", [*ODD[:1], *ODD[2:], "somebody"], ids=repr)
@pytest.mark.parametrize("ask", [Lab.call, Lab.explain], ids=["call", "explain"])
def test_a_user_that_the_lab_does_not_have_is_named(lab: Lab, ask: Callable[..., Any], odd: Any) -> None:
    with pytest.raises(UsageError, match="The lab has no user"):
        ask(lab, ADMIN, odd)
    if odd:
        with pytest.raises(UsageError, match="The lab has no user"):
            lab.what_if(odd)


@pytest.mark.parametrize("odd", ["eyJhbGciOi.eyJzdWIiOi.c2ln", {"id": "eyJhbGciOi.eyJzdWIiOi.c2ln"}], ids=type)
@pytest.mark.parametrize("ask", [Lab.call, Lab.explain], ids=["call", "explain"])
def test_a_token_in_a_users_place_is_told_so_and_not_shown(lab: Lab, ask: Callable[..., Any], odd: Any) -> None:
    with pytest.raises(UsageError, match=r"A token is given by its name: token=TOKEN") as error:
        ask(lab, ADMIN, odd)
    assert "eyJ" not in str(error.value)


TEXTS: dict[str, Callable[[Lab, Any], object]] = {
    "call token": lambda lab, odd: lab.call(ADMIN, token=odd),
    "explain token": lambda lab, odd: lab.explain(ADMIN, token=odd),
    "read": lambda lab, odd: lab.read(odd),
    "cause": lambda lab, odd: lab.cause(odd),
    "compare left": lambda lab, odd: lab.compare(odd, "a.b.c"),
    "compare right": lambda lab, odd: lab.compare("a.b.c", odd),
    "issuer": lambda lab, odd: lab.what_if(issuer=odd),
}


@pytest.mark.parametrize("odd", [5, ["a.b.c"], {"id": "a.b.c"}, b"a.b.c"], ids=repr)
@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_text_is_told_so_and_not_shown(lab: Lab, name: str, odd: Any) -> None:
    with pytest.raises(UsageError, match="is a text, and not a value of the type") as error:
        TEXTS[name](lab, odd)
    assert "a.b.c" not in str(error.value)


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "issuer"])
def test_what_a_function_without_a_return_gives_is_no_token(lab: Lab, name: str) -> None:
    def forged() -> str:
        """As a learner begins it."""

    with pytest.raises(UsageError) as error:
        TEXTS[name](lab, forged())
    assert str(error.value) == (
        "A token is a text, and not None. A function that returns nothing gives None: its last line returns the token."
    )


@pytest.mark.parametrize("name", ["without", "audience", "scopes"])
def test_several_texts_are_a_text_or_a_list_of_them(lab: Lab, name: str) -> None:
    for odd in (5, [5], [None], b"scope"):
        with pytest.raises(UsageError, match="is a text or a list of texts"):
            lab.what_if(**{name: odd})
    odd: Any
    for odd in ([5], [["sub"], "iss"]):
        with pytest.raises(UsageError, match="The name of a claim is a text or a list of texts"):
            lab.read("a.b.c", *odd)
    together: Any = ["sub", "iss"]
    assert lab.read("a.b.c", together).names == lab.read("a.b.c", "sub", "iss").names == ("sub", "iss")


@pytest.mark.parametrize("odd", [5, "scope", ["scope"], {"a": {1, 2}}, {"a": b"x"}], ids=repr)
def test_an_object_is_a_dictionary_that_json_can_hold(lab: Lab, odd: Any) -> None:
    for ask in (
        lambda: lab.what_if(claims=odd),
        lambda: lab.what_if(header=odd),
        lambda: lab.invoke("Pre-tokenAuthLambda", odd),
    ):
        with pytest.raises(UsageError, match=r"is a dictionary, and not|cannot hold that"):
            ask()


@pytest.mark.parametrize("odd", ["2", None, float("nan"), float("inf")], ids=repr)
def test_the_clock_goes_by_numbers(lab: Lab, odd: Any) -> None:
    with pytest.raises(UsageError, match="The clock cannot go"):
        lab.what_if(hours_later=odd)


def test_a_user_and_a_token_exclude_each_other(lab: Lab) -> None:
    for ask in (lab.call, lab.explain):
        with pytest.raises(UsageError, match="A user and a token exclude each other"):
            ask(ADMIN, "adminuser", token="a.b.c")


def test_the_source_is_shown_in_the_runtime_that_is_asked_for(tmp_path: Path) -> None:
    lab = lab_at(tmp_path, "jwt-lab")
    assert "def lambda_handler" in lab.source("LambdaForAdminUser").text()
    assert lab.source("LambdaForAdminUser", "nodejs22.x").text().startswith("// lambdas/LambdaForAdminUser/index.mjs")
    with pytest.raises(UsageError, match=r"The lab has no code for the runtime 'cobol'\."):
        lab.source("LambdaForAdminUser", "cobol")
