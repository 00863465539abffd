"""The committed notebooks keep to the rules, and the rules find what is wrong."""

import itertools
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import ScriptExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.canonical import clean, read, serialized
from tests.notebooks.outputs import PATTERNS, sanitized, texts
from tests.notebooks.rules import NOTEBOOKS, ROOT, breaches, code_cells, ignored_cells

# The cells whose outputs are not compared: (file, cell id) -> why no sanitising pattern would do.
IGNORED: dict[tuple[str, str], str] = {
    ("00-start-here.ipynb", "preflight-code-3"): "shows how far the learner is, which is what it is for",
}

# What a sanitising pattern must leave as it is, since these are what the lab is about.
MEANING = [
    "GET /AdminUser    adminuser    200",
    "GET /AdminUser    regularuser  403",
    "GET /RegularUser  nobody       401",
    '{"message":"Unauthorized"}',
    '{"message":"Forbidden"}',
    '"Hello from Admin User"',
    "scope  token_use  cognito:groups  aud  client_id  iss  exp  nbf  iat  kid",
    "identity source, algorithm, key id, signature, issuer, audience, expiry, scope: passed, failed, not reached",
    "LambdaForAdminUser LambdaForRegularUser Pre-tokenAuthLambda",
    "aws apigatewayv2 create-authorizer --authorizer-type JWT --name JWTAuth",
]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


@every_notebook
def test_a_notebook_keeps_to_the_rules(path: Path) -> None:
    assert breaches(read(path)) == []


@every_notebook
def test_a_notebook_is_written_in_the_one_form(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == serialized(clean(read(path))), f"Run: make notebooks ({path.name})"


@every_notebook
def test_a_notebook_becomes_a_python_script(path: Path) -> None:
    _, resources = ScriptExporter().from_filename(str(path))
    assert resources["output_extension"] == ".py"


@every_notebook
def test_a_ladder_is_shown_as_one(path: Path) -> None:
    bare = [cell.id for cell in code_cells(read(path)) if re.search(r"^lab\.explain\(", cell.source, re.MULTILINE)]
    assert bare == [], "As a table it is wider than the page: view(lab.explain(...))"


@every_notebook
def test_what_the_next_cell_does_is_no_prediction(path: Path) -> None:
    pairs = itertools.pairwise(read(path).cells)
    told = [after.id for cell, after in pairs if re.search(r"\bnext cell\b(?! but one)", cell.source)]
    predictions = {cell.id for cell in code_cells(read(path)) if "prediction" in cell.metadata.get("tags", [])}
    assert not predictions & {*told}


def test_the_cells_that_are_not_compared_are_these() -> None:
    ignored = {(path.name, cell) for path in NOTEBOOKS for cell in ignored_cells(read(path))}
    assert ignored == set(IGNORED)


@every_notebook
def test_no_sanitising_pattern_swallows_a_line(path: Path) -> None:
    lines = [line for cell in code_cells(read(path)) for _, text in texts(cell) for line in text.splitlines()]
    swallowed = [line for line in lines for pattern, _ in PATTERNS if re.fullmatch(pattern, line.strip())]
    assert swallowed == []


def test_sanitising_leaves_what_the_lab_is_about() -> None:
    assert [sanitized(line) for line in MEANING] == MEANING


def test_sanitising_keeps_what_is_around_a_value() -> None:
    line = "admin-1a2b3c4d5e6f7g8h9i0j1k2l3m on us-east-1_AbCdEf123 at 127.0.0.1:40123, 12 minutes ago"
    assert sanitized(line) == "admin-APPCLIENT on us-east-1_POOL at 127.0.0.1:PORT, N minutes ago"


# From here on: a sound notebook, and what makes it unsound.


def sound() -> NotebookNode:
    """A notebook that keeps to every rule."""
    return clean(
        new_notebook(
            cells=[
                new_markdown_cell("# A title\n\n" + "word " * 60, id="title"),
                new_markdown_cell("## A part\n\n```text\n#### no heading in here\n```\n" + "word " * 30, id="part"),
                new_code_cell("1 + 1", id="sum", outputs=[result("2")]),
                new_code_cell("print('hello')", id="hello", outputs=[stream("hello\n")]),
            ]
        )
    )


def result(text: str, **other: Any) -> NotebookNode:
    return new_output("execute_result", data={"text/plain": text, **other}, execution_count=1)


def stream(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def with_cells(*cells: NotebookNode) -> NotebookNode:
    notebook = sound()
    notebook.cells.extend(cells)
    return notebook


def with_output(*outputs: NotebookNode) -> NotebookNode:
    """The sound notebook with other outputs in its last cell, and not cleaned."""
    notebook = sound()
    notebook.cells[-1].outputs = list(outputs)
    return notebook


def prose(text: str) -> NotebookNode:
    return with_cells(new_markdown_cell(text, id="more"))


def code(source: str, count: int | None = 3, text: str = "out") -> NotebookNode:
    return with_cells(
        new_markdown_cell("word " * 40, id="more"),
        new_code_cell(source, id="code", execution_count=count, outputs=[stream(text)] if text else []),
    )


def with_widget_state() -> NotebookNode:
    notebook = sound()
    notebook.metadata["widgets"] = {}
    return notebook


def html(text: str) -> NotebookNode:
    return with_output(result("2", **{"text/html": text}))


def error(*traceback: str) -> NotebookNode:
    return with_output(new_output("error", ename="ValueError", evalue="no", traceback=list(traceback)))


DIAGRAM = "```mermaid\nflowchart LR\n  a --> b\n```"
HEAD = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbnVzZXIifQ"

BAD = [
    pytest.param(prose("# Another title"), "has_one_title", id="two-titles"),
    pytest.param(new_notebook(cells=[new_markdown_cell("## A part")]), "has_one_title", id="no-title"),
    pytest.param(prose("#### Too deep"), "skips_no_heading_level", id="skipped-level"),
    pytest.param(code("x = 1", text=""), "shows_outputs", id="too-few-outputs"),
    pytest.param(code("x = 1", count=None), "was_run_in_order", id="no-count"),
    pytest.param(code("x = 1", count=9), "was_run_in_order", id="out-of-order"),
    pytest.param(code("x = 1\n" * 13), "has_short_cells", id="long-cell"),
    pytest.param(code("x = 1\n" * 8), "has_short_cells", id="too-many-longish-cells"),
    pytest.param(with_cells(new_code_cell("1", execution_count=3, outputs=[stream("1")])), "explains", id="no-prose"),
    pytest.param(prose(DIAGRAM), "says_what_it_draws", id="diagram-alone"),
    pytest.param(prose(f"{DIAGRAM}\n\nThe next cell builds it."), "says_what_it_draws", id="diagram-and-other-words"),
    pytest.param(prose(f"{DIAGRAM}\n\nIn words: one.\n\n{DIAGRAM}"), "says_what_it_draws", id="second-diagram"),
    pytest.param(prose("![](picture.png)"), "says_what_it_draws", id="image-without-alt"),
    pytest.param(prose('<img src="picture.png" alt=" ">'), "says_what_it_draws", id="img-with-empty-alt"),
    pytest.param(prose("| a | b |\n| 1 | 2 |"), "heads_its_tables", id="table-without-header"),
    pytest.param(prose("| | b |\n|---|---|\n| 1 | 2 |"), "heads_its_tables", id="column-without-name"),
    pytest.param(with_widget_state(), "survives_distrust", id="widget-state"),
    pytest.param(html("<style>p {color: red}</style>"), "survives_distrust", id="style"),
    pytest.param(html("<SCRIPT src='x'></SCRIPT>"), "survives_distrust", id="script"),
    pytest.param(html("<p><svg width='1'></svg></p>"), "survives_distrust", id="inline-svg"),
    pytest.param(with_output(result("2", **{"image/svg+xml": "<a/>"})), "survives_distrust", id="svg"),
    pytest.param(
        with_output(result("2", **{"application/vnd.jupyter.widget-view+json": {"model_id": "1"}})),
        "survives_distrust",
        id="widget-view",
    ),
    pytest.param(with_output(stream(f"{HEAD}.{'Ab1_-' * 60}")), "keeps_secrets", id="jwt-in-stream"),
    pytest.param(html(f"<p>{HEAD}.{'Ab1_-' * 9}</p>"), "keeps_secrets", id="jwt-in-html"),
    pytest.param(prose(f"`{HEAD}.{'Ab1_-' * 60}`"), "keeps_secrets", id="jwt-in-prose"),
    pytest.param(with_output(stream(f"{HEAD}.nonce.{'Ab1_-' * 60}.tag")), "keeps_secrets", id="refresh-token"),
    pytest.param(with_output(stream("in /home/someone/lab")), "names_no_machine", id="home"),
    pytest.param(with_output(result("'/tmp/labkit-1'")), "names_no_machine", id="temporary"),
    pytest.param(error(f'File "{ROOT}/labkit/lab.py"'), "names_no_machine", id="checkout-in-traceback"),
    pytest.param(code("name = input('Your name? ')"), "asks_nothing", id="input"),
    pytest.param(code("from labkit.views import view"), "imports_the_face", id="module"),
    pytest.param(code("import labkit.lab as lab"), "imports_the_face", id="import"),
    pytest.param(prose("  \n"), "every_cell_has_content", id="empty"),
]


def test_a_sound_notebook_has_no_breach() -> None:
    assert breaches(sound()) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{DIAGRAM}\n\nIn words: a leads to b.",
        f"{DIAGRAM}\n\nThe same in words:\n\n1. a leads to b.",
        "![a leads to b](picture.png)",
        "<img alt='a leads to b' src='picture.png'>",
        "| name | what it is |\n|:--|---|\n| a | |\n\n| `a \\| b` |\n|---|\n| 1 |",
        "```text\n| no table |\n![](no image)\n```",
    ],
)
def test_what_is_told_in_words_and_headed_is_sound(text: str) -> None:
    assert breaches(prose(text)) == []


def test_a_solution_does_not_count_against_a_cells_length() -> None:
    notebook = code("### BEGIN SOLUTION\n" + "x = 1\n" * 13 + "### END SOLUTION")
    notebook.cells[-1].metadata["tags"] = ["task"]
    assert breaches(notebook) == []


@pytest.mark.parametrize(("notebook", "rule"), BAD)
def test_a_rule_finds_what_is_wrong(notebook: NotebookNode, rule: str) -> None:
    assert {breach.split(":")[0] for breach in breaches(notebook)} == {rule}


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}.Ab1_-Ab1…",
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123/.well-known/jwks.json",
        "https://us-east-1.console.aws.amazon.com/lambda/home/functions",
        "~/.aws/config",
        "/AdminUser",
    ],
)
def test_what_may_be_shown(text: str) -> None:
    assert breaches(with_output(stream(text))) == []


@pytest.mark.parametrize(
    "cell",
    [
        new_code_cell("1", id="it", metadata={"tags": ["nbval-ignore-output"]}),
        new_code_cell("1", id="it", metadata={"tags": ["nbval-skip"]}),
        new_code_cell("# NBVAL_IGNORE_OUTPUT\n1", id="it"),
    ],
)
def test_a_cell_that_is_not_compared_is_found(cell: NotebookNode) -> None:
    assert ignored_cells(with_cells(cell)) == ["it"]


def test_a_cell_that_should_raise_is_compared() -> None:
    raises = new_code_cell("1 / 0", id="it", metadata={"tags": ["raises-exception"]})
    assert ignored_cells(with_cells(raises)) == []


@pytest.mark.parametrize("cell_id", ["title", "not an id"])
def test_a_notebook_with_unsound_ids_is_not_written(cell_id: str) -> None:
    notebook = prose("text")
    notebook.cells[-1].id = cell_id
    with pytest.raises((nbformat.ValidationError, Warning)):
        serialized(notebook)
