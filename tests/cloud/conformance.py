"""The conformance table, made from the rules themselves: `python -m tests.cloud.conformance > docs/conformance.md`.

It says of every rule what AWS does and who says so, what MiniStack does, what the embedded cloud does, and which tests
prove it.
"""

from __future__ import annotations

import ast
import importlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from labkit.cloud.rules import registry
from labkit.cloud.rules.registry import Rule
from labkit.tokens.decision import RULES as DECISION_RULES

PROOFS = Path("tests/cloud/rules")
DECISION_PROOF = "tests/tokens/test_decision.py"

# Where MiniStack's own authorizer decides otherwise than `labkit.tokens.decision`.
# `tests/cloud/rules/test_oracle.py` compares the two on generated tokens.
DIFFERS = {
    "request-size": "Takes requests of 64 KB.",
    "shape": "Takes padding, the standard alphabet, names that are used twice and critical extensions; answers 500 to "
    "JSON that is no object.",
    "algorithm": "Does not read the algorithm, and verifies RS256 only.",
    "audience": "Compares as text, and takes a null aud for none.",
    "expiry": "Takes a token without exp, and one whose exp is text; answers 500 to one that is no number.",
    "not-before": "Takes text; answers 500 to what is no number.",
    "issued-at": "Takes text; answers 500 to what is no number.",
    "scope": "Adds scp to scope.",
}

INTRODUCTION = """\
# What the embedded cloud does as AWS does

The embedded cloud is [MiniStack](https://github.com/ministackorg/ministack) {version} under a layer of rules that make
it refuse what AWS refuses and answer as AWS answers. This table is made from those rules
(`python -m tests.cloud.conformance > docs/conformance.md`), and a test keeps it current.

Each rule says what AWS does, who says so, and how sure that is:

{confidence}

Where AWS's behaviour is not documented, one behaviour was chosen, and the rule is marked so. Nothing here was measured
on AWS yet. `make test ARGS="-m aws"` asks a real account about every rule that is inferred, or a part of which is, and
writes a report ([how to run it](instructors.md#ask-a-real-account)).
"""


def main() -> None:
    """Print the table."""
    print(table(PROOFS), end="")


def table(tests: Path) -> str:
    """The table as Markdown.

    Args:
        tests: the folder of the rules' tests, which name the rules that they prove.
    """
    version, proofs = _import_rules(), proofs_in(tests)
    kinds = "\n".join(f"- **{kind}**: {meaning}." for kind, meaning in registry.CONFIDENCE.items())
    made = [rule for rule in registry.RULES if rule.kind != "not emulated"]
    gaps = [rule for rule in registry.RULES if rule.kind == "not emulated"]
    parts = [
        INTRODUCTION.format(version=version, confidence=kinds),
        _section("The authorizer's decision", DECISION_HEAD, _decision_rows()),
    ]
    for service in sorted({rule.service for rule in made}):
        parts.append(_section(service, HEAD, (_row(rule, proofs) for rule in made if rule.service == service)))
    parts.append(_section("Operations that are served", SERVED_HEAD, _served_rows()))
    parts.append(_section("Not emulated", GAP_HEAD, map(_gap_row, gaps)))
    return "".join(parts)


def inferred() -> set[str]:
    """The names of the rows in which AWS's behaviour, or a part of it, is not documented."""
    _import_rules()
    decided = {rule.name for rule in DECISION_RULES if rule.inferred or rule.confidence == "inferred"}
    return decided | {rule.name for rule in registry.RULES if rule.confidence == "inferred"}


def proofs_in(tests: Path) -> dict[str, list[str]]:
    """The tests that name each rule as proved, by the rule's name."""
    proofs = defaultdict(list)
    for path in sorted(tests.glob("test_*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for rule in _proved_by(function):
                    proofs[rule].append(f"{path.name}::{function.name}")
    return dict(proofs)


def _proved_by(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "proves":
            yield from (str(ast.literal_eval(argument)) for argument in decorator.args)


HEAD = ("Rule", "AWS", "MiniStack", "Embedded cloud", "Proof")
GAP_HEAD = ("What", "AWS", "MiniStack", "Embedded cloud")
SERVED_HEAD = ("Service", "Operations; every other one is refused by its name")
DECISION_HEAD = ("Rule", "AWS", "MiniStack", "Proof")


def _row(rule: Rule, proofs: Mapping[str, list[str]]) -> tuple[str, ...]:
    where = "<br>".join([f"`{rule.name}`", *rule.operations])
    tests = "<br>".join(f"`{test}`" for test in proofs.get(rule.name, ()))
    return where, _fact(rule.aws, rule.source, rule.confidence), rule.ministack, rule.ours, tests


def _gap_row(rule: Rule) -> tuple[str, ...]:
    return rule.name.replace("_", " "), _fact(rule.aws, rule.source, rule.confidence), rule.ministack, rule.ours


def _served_rows() -> Iterator[tuple[str, ...]]:
    served = importlib.import_module("labkit.cloud.rules.operations").SERVED
    yield from ((service, ", ".join(sorted(listed))) for service, listed in sorted(served.items()))


def _decision_rows() -> Iterator[tuple[str, ...]]:
    for rule in DECISION_RULES:
        aws = f"{rule.statement} {rule.status}. {rule.inferred}"
        fact = _fact(aws.strip(), rule.source, rule.confidence)
        yield f"`{rule.name}`", fact, DIFFERS.get(rule.name, "The same."), f"`{DECISION_PROOF}`"


def _fact(aws: str, source: str, confidence: str) -> str:
    sources = ", ".join(_link(one) for one in source.split("; "))
    return f"{aws} ({confidence}: {sources})"


def _link(source: str) -> str:
    """A source as a link, under the end of its path; a book or an RFC as it is."""
    if not source.startswith("https://"):
        return source
    parts = source.partition("#")[0].rstrip("/").removesuffix(".html").split("/")
    name = f"{parts[3]}/{parts[4]}#{parts[-1]}" if parts[2] == "github.com" else parts[-1]
    return f"[{name}]({source})"


def _section(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return f"\n## {title[0].upper()}{title[1:]}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _import_rules() -> str:
    """Import every rule; the version of MiniStack that they were written for.

    MiniStack writes keys when it is imported, into a folder that is removed at once.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("STATE_DIR", folder)
        importlib.import_module("labkit.cloud.rules.catalog")
        return str(importlib.import_module("labkit.cloud.rules.state").VERSION)


if __name__ == "__main__":
    main()
