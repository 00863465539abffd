"""Who may call what, as a table of buttons: each leads to the rules behind its answer, and to the curl line."""

from __future__ import annotations

import ipywidgets as widgets

from labkit.questions.access import Access, agreement, observed_status
from labkit.questions.explanation import Explanation
from labkit.text.blocks import sentences
from labkit.views.form import Form, shown
from labkit.views.ladder import Ladder
from labkit.views.view import View, html, stack


class AccessMatrix(View[Access]):
    """Callers by routes."""

    def build(self) -> widgets.Widget:
        """A row for each caller, a column for each route; the answer of the button that was pressed below."""
        calls = self._result.explanations
        routes = list(dict.fromkeys(call.request for call in calls))
        said, below = Form(said=shown([sentences("Press a cell to see the rules behind it.")])), widgets.VBox()
        cells: list[widgets.Widget] = [html(""), *(html(f"<p><b>{route}</b></p>") for route in routes)]
        for caller in dict.fromkeys(call.caller for call in calls):
            cells.append(html(f"<p><b>{caller}</b></p>"))
            cells += [_cell(call, said, below) for call in calls if call.caller == caller]
        columns = f"max-content repeat({len(routes)}, 16em)"
        return stack(
            widgets.GridBox(cells, layout={"grid_template_columns": columns, "grid_gap": "2px 12px"}), said, below
        )


def _cell(call: Explanation, said: Form, below: widgets.VBox) -> widgets.Button:
    observed, predicted = observed_status(call), call.decision.status
    button = widgets.Button(
        description=f"{observed} {agreement(call)}" + ("" if call.agrees else f", which is {predicted}"),
        tooltip=f"{call.caller} on {call.request}: {predicted} predicted, {observed} observed",
        layout={"width": "auto"},
    )

    def press(_: widgets.Button) -> None:
        said.say([sentences(call.title)])
        below.children = (Ladder(call).widget,)

    button.on_click(press)
    return button
