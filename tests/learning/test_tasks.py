"""Every task fails untouched and passes with its solution, and each common wrong answer is met with its sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.errors import LabError, UsageError
from labkit.lab import Lab
from labkit.learning import copy, task
from labkit.learning.lessons import TaskText, lessons
from labkit.learning.work import NotYet, Piece, Seen, Workplace, run
from labkit.steps.function_code import COPY, HANDED_OUT, digest
from labkit.target.names import PRE_TOKEN
from tests.labs import lab_at

TRIGGER = f"lambdas/{PRE_TOKEN}/lambda_function.py"
GROUPS = '    groups = ((event.get("request") or {}).get("groupConfiguration") or {}).get("groupsToOverride") or []'


@pytest.fixture(scope="module")
def lab(warm_home: Path) -> Iterator[Lab]:
    """A lab with its functions, whose home remembers a copy of them."""
    lab = lab_at(warm_home, "tasks")
    lab.ensure("functions")
    yield lab
    (warm_home / COPY).unlink(missing_ok=True)


@pytest.fixture
def file(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """The learner's trigger, as it is handed out."""
    content = copy._with_gaps(TRIGGER, (copy.LAMBDAS / PRE_TOKEN / "lambda_function.py").read_text())
    copied = tmp_path / "my-lab"
    (copied / TRIGGER).parent.mkdir(parents=True)
    (copied / TRIGGER).write_text(content)
    node = TRIGGER.replace("lambda_function.py", "index.mjs")
    (copied / node).write_text(copy._with_gaps(node, (copy.LAMBDAS / PRE_TOKEN / "index.mjs").read_text()))
    given = {path: digest((copied / path).read_bytes()) for path in (TRIGGER, node)}
    (copied / HANDED_OUT).write_text(json.dumps(given))
    (lab.settings.home / COPY).write_text(json.dumps({"folder": str(copied)}))
    lab._progress.erase()
    yield copied / TRIGGER
    (lab.settings.home / COPY).unlink()


def write(file: Path, line: str) -> None:
    """Write the learner's line; a line that begins with `groups` takes the place of the one that reads them."""
    place = GROUPS if line.startswith("    groups") else "    scope = None"
    text = file.read_text()
    assert text.count(place) == 1
    file.write_text(text.replace(place, line))


JOINED = '" ".join(f"{g}-{client_id}" for g in groups)'
TRAPS = {
    "open": "    scope = None",
    "other-sign": '    scope = " ".join(f"{g}:{client_id}" for g in groups)',
    "commas": '    scope = ",".join(f"{g}-{client_id}" for g in groups)',
    "blanks": '    scope = "".join(f"{g}-{client_id} " for g in groups)',
    "turned-round": '    scope = " ".join(f"{client_id}-{g}" for g in groups)',
    "group-alone": '    scope = " ".join(groups)',
    "lower-case": f"    scope = {JOINED}.lower()",
    "first-group-only": '    scope = f"{groups[0]}-{client_id}" if groups else None',
    "not-text": '    scope = [f"{g}-{client_id}" for g in groups]',
    "scope-of-nothing": f'    scope = {JOINED} or f"guest-{{client_id}}"',
    "no-event": f"    scope = {JOINED}\n    return scope",
    "one-client": '    scope = " ".join(f"{g}-abc" for g in groups)',
    "not-deployed": f"    scope = {JOINED}",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_common_wrong_trigger_is_met_with_its_sentence(lab: Lab, file: Path, trap: str) -> None:
    write(file, TRAPS[trap])
    verdict = lab.check_task("trigger")
    assert verdict.outcome == "not yet"
    assert_said(verdict, trap)


def test_a_trigger_that_fails_without_groups_is_told(lab: Lab, file: Path) -> None:
    write(file, f"    scope = {JOINED}")
    write(file, '    groups = event["request"]["groupConfiguration"]["groupsToOverride"]')
    verdict = lab.check_task("trigger")
    assert_said(verdict, "raises-without-groups")
    assert "TypeError" in verdict.found
    assert " in line " in verdict.found


def test_a_file_that_is_gone_is_not_the_labs_own(lab: Lab, file: Path) -> None:
    file.rename(file.with_name("function.py"))
    assert "There is no lambda_function.py" in lab.check_task("trigger").sentence


def test_every_sentence_for_a_wrong_answer_has_its_trap() -> None:
    assert set(lessons().tasks["trigger"].wrong) == {*TRAPS, "raises-without-groups"}
    assert set(lessons().tasks["log-policy"].wrong) == {trap for trap, _ in POLICIES}


def assert_said(verdict: task.Verdict, trap: str) -> None:
    """The sentence is that of the trap, and of no other."""
    begins = {key: words.split("{")[0] for key, words in verdict.task.wrong.items()}
    fits = [key for key, words in begins.items() if verdict.sentence.startswith(words)]
    rest = verdict.task.wrong[trap].rsplit("}", 1)[-1]
    assert trap in fits
    assert verdict.sentence.endswith(rest)


@pytest.mark.parametrize(
    "line",
    [
        f"    scope = {JOINED} or None",
        f"    scope = {JOINED}",
        '    scope = " ".join(reversed([group + "-" + client_id for group in groups])) or None',
        '    scope = " ".join(map("{}-{}".format, groups, [client_id] * len(groups)))',
    ],
)
def test_every_right_trigger_passes_once_it_is_deployed(lab: Lab, file: Path, line: str) -> None:
    assert lab.check_task("trigger").outcome == "not yet"
    write(file, line)
    assert "deploy it" in lab.check_task("trigger").sentence
    lab.ensure("functions")
    assert lab.check_task("trigger").passed
    assert lab.check("functions").passed
    assert lab.progress().to_dict()["tasks"]["trigger"]["solved"] is True
    assert lab.task("trigger").state == "solved"


def test_a_syntax_error_is_named_with_its_line(lab: Lab, file: Path) -> None:
    write(file, '    scope = " ".join(')
    verdict = lab.check_task("trigger")
    number = file.read_text().split("\n").index('    scope = " ".join(') + 1
    assert f"Line {number} of {TRIGGER} is not Python" in verdict.sentence


FILES = {
    "": "has no function `lambda_handler`",
    "def handler(event, context): return event": "has no function `lambda_handler`",
    "import sys\nsys.exit()": "SystemExit, which ends the process, in line 2",
    "import os\nos._exit(0)": "ended its own process before it had answered",
    "import sys\ndef lambda_handler(event, context): sys.exit(0)": "SystemExit, which ends the process, in line 2",
    "import nothing": "No module named 'nothing' in line 1",
    "return": f"Line 1 of {TRIGGER} is not Python: 'return' outside function.",
    "\0": "is not Python: source code string cannot contain null bytes.",
    "class lambda_handler: pass": "is a class",
    "async def lambda_handler(event, context): return event": "write `def`",
    "def lambda_handler(event, context): yield event": "write `return`",
}


@pytest.mark.parametrize("content", FILES)
def test_a_file_that_is_no_function_is_told_in_words(lab: Lab, file: Path, content: str) -> None:
    file.write_text(content)
    verdict = lab.check_task("trigger")
    assert verdict.outcome == "not yet"
    assert FILES[content] in verdict.text()


def test_an_error_of_the_learners_line_is_named_with_its_line(lab: Lab, file: Path) -> None:
    write(file, "    scope = nothing")
    assert "NameError: name 'nothing' is not defined in line" in lab.check_task("trigger").text()


def test_the_solution_is_put_in_place_and_the_beginning_comes_back(lab: Lab, file: Path) -> None:
    write(file, "    scope = 'mine'")
    assert "what you had stays beside it" in lab.solve("trigger").text()
    lab.ensure("functions")
    assert lab.check_task("trigger").passed
    assert lab.task("trigger").state == "solved with the solution"
    assert [path.read_text().count("'mine'") for path in file.parent.glob("*(yours, *).py")] == [1]
    lab.reset_task("trigger")
    assert "    scope = None" in file.read_text()
    assert lab.check_task("trigger").outcome == "not yet"


@pytest.mark.node
def test_the_trigger_is_checked_in_javascript_too(warm_home: Path, file: Path, node: str) -> None:
    lab = lab_at(warm_home, "tasks-node", runtime="nodejs22.x")
    source = file.with_name("index.mjs")
    assert "there is no scope" in lab.check_task("trigger").sentence
    source.write_text(source.read_text().replace("scope = null", "scope = groups.map("))
    assert "index.mjs is not JavaScript" in lab.check_task("trigger").sentence
    lab.solve("trigger")
    assert "deploy it" in lab.check_task("trigger").sentence


def test_a_changed_function_is_no_drift_and_no_remedy_leads_in_a_circle(lab: Lab, file: Path) -> None:
    write(file, '    scope = "wrong"')
    [finding] = lab.check("functions").findings
    assert finding.expected == f"your lambdas/{PRE_TOKEN}"
    lab.ensure("functions")
    report = lab.check("functions")
    assert report.passed
    assert "which is yours and differs from the lab's" in report.text()
    lab.up()
    calls = [finding for finding in lab.check().findings if finding.step == "calls"]
    assert calls
    assert all("labkit chapters --fresh lambdas brings the lab's own back" in finding.remedy for finding in calls)
    lab.reset_task("trigger")
    lab.up()
    assert lab.check().passed


def test_a_sign_in_that_the_learners_own_trigger_stops_leads_back_to_it(lab: Lab, file: Path) -> None:
    write(file, "    scope = nothing")
    lab.up("user-pool")
    with pytest.raises(LabError, match=r"error name 'nothing' is not defined\)") as error:
        lab.tokens("adminuser")
    assert "labkit chapters --fresh lambdas brings the lab's own back" in error.value.remedy
    assert "is not defined in line" in lab.check_task("trigger").text()
    lab.reset_task("trigger")
    lab.up()
    assert lab.tokens("adminuser")


def policy(*actions: str, resource: str = "GROUP:*") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}


TWO = ("logs:CreateLogStream", "logs:PutLogEvents")
POLICIES: list[tuple[str, Any]] = [
    ("no-policy", {"Effect": "Allow"}),
    ("no-policy", 5),
    ("no-policy", {"Statement": [{"Effect": "Allow", "Action": "logs:*"}]}),
    ("trust", {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}}),
    ("no-stream", policy("logs:PutLogEvents")),
    ("no-events", policy("logs:CreateLogStream")),
    ("group-without-streams", policy(*TWO, resource="GROUP")),
    ("every-resource", policy(*TWO, resource="*")),
    ("makes-groups", policy(*TWO, "logs:CreateLogGroup")),
    ("every-action", policy("logs:*Stream*", "logs:PutLogEvents")),
    ("other-service", policy("*", resource="*")),
]


def for_lab(lab: Lab, document: Any) -> Any:
    return json.loads(json.dumps(document).replace("GROUP", lab.target.names.log_group_arn(PRE_TOKEN)))


@pytest.mark.parametrize(("trap", "document"), POLICIES)
def test_each_common_wrong_policy_is_met_with_its_sentence(lab: Lab, trap: str, document: Any) -> None:
    verdict = lab.check_task("log-policy", for_lab(lab, document))
    assert verdict.outcome == "not yet"
    assert verdict.sentence == lessons().tasks["log-policy"].wrong[trap]


@pytest.mark.parametrize(
    "document",
    [
        policy(*TWO),
        policy("LOGS:createlogstream", "logs:Put*"),
        policy(*TWO, resource="GROUP:log-stream:*"),
        {"Statement": [policy(action)["Statement"][0] for action in TWO]},
        {"Statement": policy(*TWO)["Statement"][0]},
    ],
)
def test_every_right_policy_passes(lab: Lab, document: dict[str, Any]) -> None:
    assert lab.check_task("log-policy", for_lab(lab, document)).passed
    assert lab.check_task("log-policy", json.dumps(for_lab(lab, document))).passed


def test_a_policy_that_holds_for_some_calls_only_is_not_the_one(lab: Lab) -> None:
    document = policy(*TWO)
    document["Statement"][0]["Condition"] = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    verdict = lab.check_task("log-policy", for_lab(lab, document))
    assert (verdict.outcome, "`Condition`" in verdict.sentence) == ("not yet", True)


# From here on: what holds for every task.


@pytest.mark.parametrize("name", lessons().tasks)
def test_a_stub_is_told_what_to_do_and_is_no_try(lab: Lab, name: str) -> None:
    text = lessons().tasks[name]
    if text.call.count(",") == 0:
        return
    before = lab._progress.of("tasks", name)
    verdict = lab.check_task(name, *[...] * text.call.count(","))
    assert (verdict.outcome, verdict.sentence) == ("not yet", text.what)
    assert lab._progress.of("tasks", name) == before


def test_a_work_that_is_not_handed_over_is_a_wrong_call(lab: Lab) -> None:
    with pytest.raises(UsageError, match=r'Check it with: lab.check_task\("log-policy", policy\)'):
        lab.check_task("log-policy")
    with pytest.raises(UsageError, match="There is no task 'nothing'"):
        lab.check_task("nothing")


def test_three_hints_and_then_the_solution(lab: Lab) -> None:
    lab._progress.erase()
    text = lessons().tasks["log-policy"]
    given = [lab.hint("log-policy").text() for _ in range(5)]
    assert [hint in said for hint, said in zip(text.hints, given, strict=False)] == [True] * 3
    assert text.solution in given[3] == given[4]
    assert [text.solution in said for said in given[:3]] == [False] * 3
    assert lab.task("log-policy").text().count("Hint ") == 3


TEXT = TaskText("x", "01", "t", "w", "y", "c", ("1", "2", "3"), "s", "because", {"known": "this gives {found}"})


def judged(judge: Callable[[Workplace], Any], monkeypatch: pytest.MonkeyPatch, lab: Lab) -> task.Verdict:
    monkeypatch.setattr(task, "registered", lambda text: judge)
    monkeypatch.setattr(task, "named", lambda kind, known, name: TEXT)
    return lab.check_task("x")


def raising(error: Exception) -> Callable[[Workplace], Any]:
    def check(place: Workplace) -> Any:
        raise error

    return check


@pytest.mark.parametrize(
    ("judge", "outcome", "said"),
    [
        (lambda place: "it works.", "passed", "Passed: it works."),
        (lambda place: Seen("all.", (Piece("a", True), Piece("b", False, "why"))), "passed", "not yet  why"),
        (raising(NotYet("known", found=3)), "not yet", "Not yet: this gives 3"),
        (raising(NotYet(wanted="a", found="b")), "not yet", "Wanted: a\nFound: b"),
        (
            raising(LabError("The cloud is away.", "Start it.")),
            "could not check",
            "This is no verdict on your work. The cloud is away. Start it.",
        ),
        (raising(KeyError("oops")), "could not check", "please report it"),
    ],
)
def test_there_are_three_verdicts(
    judge: Any, outcome: str, said: str, monkeypatch: pytest.MonkeyPatch, lab: Lab
) -> None:
    verdict = judged(judge, monkeypatch, lab)
    assert verdict.outcome == outcome
    assert said in verdict.text()
    assert verdict.to_dict()["verdict"] == outcome


def test_what_could_not_be_checked_is_no_try(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> None:
    lab._progress.erase()
    judged(raising(LabError("The cloud is away.", "Start it.")), monkeypatch, lab)
    assert lab._progress.of("tasks", "x") == {}


def test_a_learners_function_that_fails_is_told_with_its_line() -> None:
    def parts(token: str) -> str:
        return token.split(".")[7]

    with pytest.raises(NotYet) as stopped:
        run(parts, "a.b")
    assert stopped.value.said.endswith('`return token.split(".")[7]`, with IndexError: list index out of range.')
    with pytest.raises(NotYet, match="by its name alone"):
        run("no function")
    with pytest.raises(NotYet, match="with SystemExit"):
        run(sys.exit)


async def awaited(token: str) -> str:
    return token


def yields(token: str) -> Iterator[str]:
    yield token


class Made:
    def __init__(self, token: str) -> None: ...


def helped(token: str) -> str:
    return f"{awaited(token)}.{token}"


@pytest.mark.parametrize(
    ("function", "said"), [(awaited, "`awaited` is written with `async def`"), (yields, "`return`"), (Made, "a class")]
)
def test_a_function_whose_call_gives_no_answer_is_told_in_words(function: Any, said: str, lab: Lab) -> None:
    verdict = task.check_task(lab._workplace, lab._progress, "take-apart", function)
    assert (verdict.outcome, said in verdict.sentence) == ("not yet", True), verdict.sentence


def test_what_nothing_awaits_inside_a_function_is_told_too(lab: Lab, recwarn: pytest.WarningsRecorder) -> None:
    verdict = task.check_task(lab._workplace, lab._progress, "take-apart", helped)
    assert "`awaited` is written with `async def`" in verdict.sentence
    assert not recwarn.list
