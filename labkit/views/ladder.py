"""The authorizer's decision as a ladder of rules: down to the one that failed, and no further."""

from __future__ import annotations

import ipywidgets as widgets

from labkit.questions.explanation import SIGNS, Explanation
from labkit.text.blocks import html_escaped, sentences
from labkit.tokens.decision import RuleResult
from labkit.views.copy_button import copy_button
from labkit.views.view import View, html, stack


class Ladder(View[Explanation]):
    """An explanation with a rung for each rule, which opens to what was expected, what was found, and the source."""

    def build(self) -> widgets.Widget:
        """The rungs, what the endpoint answered, and the curl line to see and to copy."""
        reply = self._result.reply
        if reply is None:
            return stack(html(ladder_html(self._result)))
        curl = html(f"<p><code>{html_escaped(reply.curl)}</code></p>")
        return stack(html(ladder_html(self._result)), curl, copy_button("Copy the curl line", reply.curl))


def ladder_html(explanation: Explanation) -> str:
    """The ladder and the sentences below it."""
    rungs = "".join(map(_rung, explanation.decision.rules))
    title = f"<p><b>{html_escaped(explanation.title)}</b></p>"
    return f"{title}<ol>{rungs}</ol>{sentences(explanation.observed, *explanation.remarks).html()}"


def _rung(rule: RuleResult) -> str:
    opened, kind = " open" if rule.verdict == "failed" else "", rule.verdict.replace(" ", "-")
    sign, actual = SIGNS[rule.verdict], html_escaped(rule.actual)
    line = f'<b class="sign">{sign}</b><b class="name">{rule.name}</b><span class="actual">{actual}</span>'
    summary = f'<summary><span class="rung">{line}</span></summary>'
    rows = [("expected", rule.expected), ("actual", rule.actual), ("source", rule.source)]
    entries = "".join(f"<dt>{name}</dt><dd>{html_escaped(text)}</dd>" for name, text in rows if text)
    return f'<li class="{kind}"><details{opened}>{summary}<dl>{entries}</dl></details></li>'
