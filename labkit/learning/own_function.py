"""A function's source as the learner left it, run in a process of its own as Lambda would run it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from labkit.learning.work import NotYet
from labkit.target.doctor import require_runtime

SECONDS = 20

# Both read a JSON list of events, and write a JSON list of (answer, None) or (None, what was raised, and its line).
_PYTHON = """
import contextlib, json, runpy, sys, traceback
source, answers = sys.argv[1], []
with contextlib.redirect_stdout(sys.stderr):
    for event in json.load(sys.stdin):
        try:
            answer = runpy.run_path(source)["lambda_handler"](event, None)
            answers.append((json.loads(json.dumps(answer)), None))
        except Exception as error:
            lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
            where = f" in line {lines[-1]}" if lines else ""
            answers.append((None, f"{type(error).__name__}: {error}{where}"))
print(json.dumps(answers))
"""
_NODE = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const source = process.argv[1], answers = [], print = console.log;
console.log = console.error;
const { handler } = await import(pathToFileURL(source));
for (const event of JSON.parse(readFileSync(0, "utf8"))) {
  try { answers.push([await handler(event, {}) ?? null, null]); }
  catch (error) {
    const line = error.stack?.match(/index\\.mjs:(\\d+)/);
    answers.push([null, `${error}` + (line ? ` in line ${line[1]}` : "")]);
  }
}
print(JSON.stringify(answers));
"""


def answers(file: Path, events: list[dict[str, Any]]) -> list[tuple[Any, str | None]]:
    """What a function answers to each event: (answer, None), or (None, what it raised and in which line).

    Raises:
        NotYet: the file is no program, or it does not end.
        LabError: there is no Node.js for it.
    """
    command = _node(file) if file.suffix == ".mjs" else _python(file)
    done = _done([*command, str(file)], json.dumps(events))
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [""]
        raise NotYet(say=f"{file.name} cannot be run: {next((x for x in lines if 'Error' in x), lines[-1])}")
    return [(answer, raised) for answer, raised in json.loads(done.stdout.splitlines()[-1])]


def _python(file: Path) -> list[str]:
    try:
        ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise NotYet(say=f"Line {error.lineno} of {file.name} is not Python: {error.msg}, in `{line}`.") from error
    return [sys.executable, "-I", "-c", _PYTHON]


def _node(file: Path) -> list[str]:
    require_runtime("nodejs22.x")
    checked = _done(["node", "--check", str(file)])
    if checked.returncode:
        where, line, *more = checked.stderr.strip().splitlines()
        what = next((each for each in more if "SyntaxError" in each), "SyntaxError")
        number = where.rsplit(":", 1)[-1]
        raise NotYet(say=f"Line {number} of {file.name} is not JavaScript: {what}, in `{line.strip()}`.")
    return ["node", "--input-type=module", "-e", _NODE]


def _done(command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the learner's own file, in the interpreters that the cloud uses, too
            command, input=given, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotYet(say=f"{Path(command[-1]).name} was stopped: it had not ended after {SECONDS} seconds.") from error
