"""The whole lab in a terminal, beside the learner's own and leaving nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labkit.cli import demo
from labkit.cloud import process
from labkit.cloud.session import session
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.questions.expectations import EXPECTATIONS
from labkit.settings import Settings
from labkit.steps import STEPS
from tests.cloud.homes import processes
from tests.labs import lab_at, standing
from tests.removal.account import everything

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "home"
    monkeypatch.setenv("LABKIT_HOME", str(path))
    yield path
    process.stop(path)


def test_it_shows_the_posts_calls_and_leaves_the_learners_lab_as_it_was(labkit: Run, home: Path) -> None:
    mine = lab_at(home, "jwt-lab")
    mine.up()
    client = session(process.start(home), "us-east-1").client
    before = everything(client)

    code, out, err = labkit("demo", "--yes")

    assert (code, err) == (0, "")
    assert re.findall(r"^== .*", out, re.MULTILINE) == [
        *(f"== {step.title}: {step.section}" for step in STEPS),
        "== Teardown",
    ]
    assert re.findall(r"^status +(\d+)\nbody +(.*)$", out, re.MULTILINE) == [
        ("401", '{"message":"Unauthorized"}'),
        ("200", '"Hello from Admin User"'),
        ("403", '{"message":"Forbidden"}'),
        ("200", '"Hello from Regular User"'),
        ("200", '"Hello from Regular User"'),
        ("403", '{"message":"Forbidden"}'),
        ("200", '"Hello from Admin User"'),
    ]
    assert "eyJ" not in out
    assert everything(client) == before
    assert mine.check().findings == ()


def test_a_cloud_that_was_started_for_it_ends_with_it(labkit: Run, home: Path) -> None:
    code, out, err = labkit("demo")

    assert (code, err) == (0, "")
    assert "== Teardown" in out
    assert processes(home) == []
    assert labkit("cloud", "status")[1] == "Not running.\n"


@pytest.mark.parametrize(
    ("name", "of_demo"),
    [
        ("jwt-lab", "jwt-lab-demo"),
        ("a" * 24, "a" * 19 + "-demo"),
        ("a-very-long-lab-nam-e", "a-very-long-lab-nam-demo"),
    ],
)
def test_its_lab_has_a_name_of_its_own_that_aws_takes(name: str, of_demo: str, tmp_path: Path) -> None:
    settings = demo.own_settings(Settings("embedded", name, tmp_path, "python3.13"))

    assert settings.name == of_demo
    assert len(settings.name) <= 24


def test_an_answer_that_the_lab_does_not_teach_is_a_failure(
    new_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "EXPECTATIONS", (replace(EXPECTATIONS[0], status=200), EXPECTATIONS[1]))
    lab, said = new_lab(), []

    with pytest.raises(LabError) as error:
        demo.run(lab, said.append)

    assert str(error.value) == "1 of 2 answers were not as the lab teaches. See why: labkit up, then labkit check"
    assert standing(lab.status()) == []
