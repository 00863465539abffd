"""A function's source as the learner left it, run in a process of its own as Lambda would run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from labkit.learning.work import NO_ANSWER, NotYet
from labkit.target.doctor import require_runtime

SECONDS = 20
RESET = 'What was handed out comes back with lab.reset_task("trigger"), and yours stays beside it.'

# Both read a JSON list of events, and write one object: what is wrong with the file as a whole, or for each event
# (answer, None) or (None, what was raised, and its line).
_PYTHON = """
import contextlib, inspect, json, runpy, sys, traceback
source, told = sys.argv[1], {}
def said(error):
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
    where = f" in line {lines[-1]}" if lines else ""
    if isinstance(error, SystemExit): return f"SystemExit, which ends the process,{where}"
    return f"{type(error).__name__}: {error}{where}"
def answered(event):
    try: return json.loads(json.dumps(handler(event, None))), None
    except BaseException as error: return None, said(error)
def kind(handler):
    if not callable(handler): return "missing"
    if inspect.isclass(handler): return "class"
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler): return "async"
    return "yield" if inspect.isgeneratorfunction(handler) else None
events = json.load(sys.stdin)
with contextlib.redirect_stdout(sys.stderr):
    try:
        handler = runpy.run_path(source).get("lambda_handler")
        told["wrong"] = kind(handler)
        told["answers"] = told["wrong"] or [answered(event) for event in events]
    except BaseException as error: told["stopped"] = said(error)
print(json.dumps(told))
"""
_NODE = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const source = process.argv[1], told = {}, print = console.log;
console.log = console.error;
const said = (error) => {
  const line = error?.stack?.match(/index\\.mjs:(\\d+)/);
  return `${error}` + (line ? ` in line ${line[1]}` : "");
};
const kind = (handler) => {
  if (typeof handler !== "function") return "missing";
  if (/^class\\b/.test(`${handler}`)) return "class";
  return /Generator/.test(handler.constructor.name) ? "yield" : null;
};
try {
  const { handler } = await import(pathToFileURL(source));
  told.wrong = kind(handler);
  told.answers = [];
  for (const event of told.wrong ? [] : JSON.parse(readFileSync(0, "utf8"))) {
    try { told.answers.push([await handler(event, {}) ?? null, null]); }
    catch (error) { told.answers.push([null, said(error)]); }
  }
} catch (error) { told.stopped = said(error); }
print(JSON.stringify(told));
"""


def answers(file: Path, events: list[dict[str, Any]]) -> list[tuple[Any, str | None]]:
    """What a function answers to each event: (answer, None), or (None, what it raised and in which line).

    Raises:
        NotYet: the file is no program, has no function to call, or does not end.
        LabError: there is no Node.js for it.
    """
    is_python = file.suffix == ".py"
    handler = "lambda_handler" if is_python else "handler"
    done = _done([*(_python if is_python else _node)(file), str(file)], json.dumps(events))
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise NotYet(say=f"{_name(file)} ended its own process before it had answered.") from None
    if stopped := told.get("stopped"):
        raise NotYet(say=f"{_name(file)} stops while it is loaded: {stopped}. Mend that, and save the file.")
    if told["wrong"] == "missing":
        raise NotYet(say=f"{_name(file)} has no function `{handler}`, which Lambda calls. {RESET}")
    if told["wrong"]:
        raise NotYet(say=f"`{handler}` in {_name(file)} {NO_ANSWER[told['wrong']]}")
    return [(answer, raised) for answer, raised in told["answers"]]


def _name(file: Path) -> str:
    return f"lambdas/{file.parent.name}/{file.name}"


def _python(file: Path) -> list[str]:
    try:
        compile(file.read_bytes(), file.name, "exec")
    except ValueError as error:  # what Python before 3.11.4 says of a zero byte
        raise NotYet(say=f"{_name(file)} is not Python: {error}.") from error
    except SyntaxError as error:
        where = f"Line {error.lineno} of {_name(file)}" if error.lineno else _name(file)
        line = (error.text or "").strip()
        raise NotYet(say=f"{where} is not Python: {error.msg}{f', in `{line}`' if line else ''}.") from error
    return [sys.executable, "-I", "-c", _PYTHON]


def _node(file: Path) -> list[str]:
    require_runtime("nodejs22.x")
    checked = _done(["node", "--check", str(file)])
    if checked.returncode:
        where, line, *more = checked.stderr.strip().splitlines()
        what = next((each for each in more if "SyntaxError" in each), "SyntaxError")
        number = where.rsplit(":", 1)[-1]
        raise NotYet(say=f"Line {number} of {_name(file)} is not JavaScript: {what}, in `{line.strip()}`.")
    return ["node", "--input-type=module", "-e", _NODE]


def _done(command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the learner's own file, in the interpreters that the cloud uses, too
            command, input=given, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotYet(say=f"{_name(Path(command[-1]))} was stopped: it had not ended in {SECONDS} seconds.") from error
