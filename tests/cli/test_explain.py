"""`labkit explain` and `labkit decode`: what they print, and their exit codes, on whatever they are given."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.cli import main as cli
from labkit.lab import Lab
from tests.signing import signed

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def lab(new_lab: Callable[..., Lab]) -> Lab:
    """A whole lab."""
    lab = new_lab()
    lab.up()
    return lab


@pytest.fixture
def labkit(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in the lab: its exit code, standard output and standard error."""
    monkeypatch.setenv("LABKIT_HOME", str(lab.settings.home))
    monkeypatch.setenv("LABKIT_NAME", lab.settings.name)

    def run(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["labkit", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def explained(labkit: Run, *words: str, stdin: bytes = b"") -> dict[str, Any]:
    code, out, _ = labkit("explain", "--json", *words, stdin=stdin)
    document: dict[str, Any] = json.loads(out)
    return {"code": code, **document}


def test_explain_tells_the_rule_in_exact_values(labkit: Run, lab: Lab) -> None:
    code, out, err = labkit("explain", "--as", "regularuser")
    client = lab.status().ids["app_client_id"]
    assert code == 0
    assert out.startswith("GET /AdminUser as regularuser: 403, refused by the rule scope.\n")
    assert f'scope "admin-{client}"' in out
    assert "$APP_CLIENT_ID" not in out
    assert 'The endpoint answered 403 {"message":"Forbidden"}, as predicted.' in out
    assert err == ""


def test_explain_prints_json(labkit: Run) -> None:
    document = explained(labkit, "--route", "GET /RegularUser", "--as", "regularuser")
    assert (document["code"], document["status"], document["rule"], document["observed_status"]) == (0, 200, None, 200)
    assert {"name", "expected", "actual", "verdict"} <= document["rules"][0].keys()


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer  "])
def test_explain_takes_a_token_as_an_argument_or_from_standard_input(labkit: Run, lab: Lab, prefix: str) -> None:
    value = prefix + lab.tokens("adminuser")["id"]
    given = explained(labkit, "--", value)
    read = explained(labkit, "-", stdin=f"{value}\n".encode())
    for document in (given, read):
        assert (document["code"], document["status"], document["observed_status"]) == (0, 200, 200)


def test_explain_takes_options_of_a_call(labkit: Run) -> None:
    document = explained(labkit, "--as", "adminuser", "--kind", "access", "--stage", "Test", "--bearer")
    assert (document["request"], document["status"], document["rule"]) == ("GET /Test/AdminUser", 403, "scope")


def test_nobody_is_explained_too(labkit: Run) -> None:
    document = explained(labkit)
    assert (document["code"], document["status"], document["rule"]) == (0, 401, "identity-source")


@pytest.mark.parametrize("text", ["", "   ", "hello", "a.b.c", "🙂.🙂.🙂", signed(b'{"a":1,"a":1}'), signed(b"[1]")])
def test_what_is_no_token_is_explained_with_exit_code_1(labkit: Run, text: str) -> None:
    document = explained(labkit, "--", text)
    assert document["code"] == 1
    assert document["status"] == document["observed_status"] == 401
    assert document["rule"] in ("identity-source", "shape")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--route", "GET /Nope"], "The lab has no route 'GET /Nope'."),
        (["--as", "somebody"], "The lab has no user 'somebody'."),
        (["--as", "adminuser", "--", "x.y.z"], "A user and a token exclude each other."),
        (["--kind", "opaque", "--as", "adminuser"], "There is no token of the kind 'opaque'."),
        (["--stage", "test"], "The lab's API has no stage 'test'."),
        (["--nonsense"], "No such option: --nonsense"),
    ],
)
def test_wrong_words_are_exit_code_2(labkit: Run, words: list[str], problem: str) -> None:
    code, out, err = labkit("explain", *words)
    assert (code, out) == (2, "")
    assert problem in err
    assert "Traceback" not in err


def test_explain_needs_a_lab(labkit: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "nothing"))
    code, out, err = labkit("explain", "--json", "--", "x.y.z")
    assert code == 1
    assert json.loads(out) == {
        "error": "There is no lab.",
        "fix": "Begin with chapter 01, or build all of it: labkit up",
    }
    assert "Begin with chapter 01, or build all of it: labkit up" in err
    assert not (tmp_path / "nothing").exists()


def test_decode_explains_every_claim(labkit: Run, lab: Lab) -> None:
    token = lab.tokens("adminuser")["id"]
    code, out, _ = labkit("decode", f"Bearer {token}")
    assert code == 0
    assert "✓ valid signature" in out
    assert "Whom the token is for" in out
    assert token.split(".")[2][:8] not in out
    code, out, _ = labkit("decode", "--json", "-", stdin=token.encode())
    document = json.loads(out)
    assert (code, document["kind"], document["claims"]["cognito:username"]) == (0, "id", "adminuser")
    assert document["verdict"]["state"] == "valid"


def test_decode_needs_no_lab_and_starts_nothing(labkit: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "nothing"))
    code, out, err = labkit("decode", signed({"iss": "https://issuer.example", "sub": "me"}))
    assert (code, err) == (0, "")
    assert "· signature not checked" in out
    assert '"https://issuer.example"' in out
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", ["decode", "explain"])
@pytest.mark.parametrize(
    ("noise", "statement"),
    [
        (b"", "the text is empty"),
        (bytes(range(256)) * 40, "Not a token that can be read."),
        (b"a" * 10_000_000, "This is longer than 102,400 characters: no token is, and no API would take it."),
        (signed(b'{"a":1,"a":2}').encode(), 'The payload uses the name "a" twice.'),
        (signed(b'{"a":"\\ud800"}').encode(), ""),
        (signed(b"[" * 5_000).encode(), "The payload is nested more than 512 levels deep, at character 513 of it."),
        (signed(b'{"a":NaN}').encode(), "The payload holds NaN, which JSON does not have."),
        (signed(b'{"a":1' + b"0" * 5_000 + b"}").encode(), "The payload holds a number of too many digits"),
    ],
    ids=["empty", "noise", "10 MB", "duplicate", "surrogate", "deep", "NaN", "digits"],
)
def test_bad_input_is_a_statement(labkit: Run, command: str, noise: bytes, statement: str) -> None:
    code, out, err = labkit(command, "-", stdin=noise)
    assert "Traceback" not in out + err
    if command == "decode":
        assert statement in out + err
    if statement:  # a lone surrogate in a claim is odd, and yet a token
        assert code == 1
    code, out, _ = labkit(command, "--json", "-", stdin=noise)
    assert json.loads(out)
