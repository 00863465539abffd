"""The authorizer's decision as a ladder of rules: down to the one that failed, and no further."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from labkit.questions.explanation import SIGNS, Explanation
from labkit.text.shown import html_paragraph
from labkit.tokens.decision import RuleResult
from labkit.views.copy_button import copy_button
from labkit.views.view import View, html, stack


class Ladder(View):
    """An explanation with a rung for each rule, which opens to what was expected, what was found, and the source."""

    def __init__(self, explanation: Explanation) -> None:
        super().__init__(explanation)
        self._explanation = explanation

    def build(self) -> widgets.Widget:
        """The rungs, what the endpoint answered, and the curl line to see and to copy."""
        answer = self._explanation.answer
        if answer is None:
            return stack(html(ladder_html(self._explanation)))
        curl = html(f"<p><code>{escape(answer.curl)}</code></p>")
        return stack(html(ladder_html(self._explanation)), curl, copy_button("Copy the curl line", answer.curl))


def ladder_html(explanation: Explanation) -> str:
    """The ladder and the sentences below it."""
    rungs = "".join(_rung(explanation, rule) for rule in explanation.decision.rules)
    title = f"<p><b>{escape(explanation.title)}</b></p>"
    return f"{title}<ol>{rungs}</ol>{''.join(map(html_paragraph, explanation.sentences()))}"


def _rung(explanation: Explanation, rule: RuleResult) -> str:
    say = explanation.terms.say
    opened = " open" if rule.verdict == "failed" else ""
    summary = f'<b class="sign">{SIGNS[rule.verdict]}</b><b class="name">{rule.name}</b>{escape(say(rule.actual))}'
    rows = [("expected", say(rule.expected)), ("actual", say(rule.actual)), ("source", rule.source)]
    entries = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    kind = rule.verdict.replace(" ", "-")
    return f'<li class="{kind}"><details{opened}><summary>{summary}</summary><dl>{entries}</dl></details></li>'
