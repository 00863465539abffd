"""How far the work on a class is, account by account: live in a terminal or a notebook, or line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from labkit.fleet.roster import Seat
from labkit.text.blocks import Block, Table, html_of, sentences, text_of
from labkit.text.wording import counted

WAITING = "waiting"

# As many accounts as a person can watch at once; those at work and those in trouble come first.
MOST_ROWS = 40


@dataclass
class Line:
    """What one account and region is at. `removed` counts what AWS has deleted in it."""

    account: str
    region: str
    labs: int
    state: str = WAITING
    removed: int = 0
    finished: bool = False
    good: bool = True

    @property
    def rank(self) -> int:
        """Where it stands in a long table: in trouble, at work, waiting, done."""
        if not self.good:
            return 0
        return 3 if self.finished else 2 if self.state == WAITING else 1


class Progress:
    """The lines of all accounts. The threads that work on them write, one that shows them reads."""

    def __init__(self, groups: Iterable[tuple[Seat, ...]]) -> None:
        firsts = [(group[0], len(group)) for group in groups]
        self.lines = {(s.account, s.region): Line(s.account, s.region, labs) for s, labs in firsts}

    def say(self, seat: Seat, state: str) -> None:
        """Tell what the account of a seat is at now."""
        self._line(seat).state = state

    def finish(self, seat: Seat, state: str = "done", *, good: bool = True) -> None:
        """Tell how the work on the account of a seat ended. The first word counts."""
        line = self._line(seat)
        if not line.finished:
            line.state, line.finished, line.good = state, True, good

    def listen(self, session: Any, seat: Seat) -> None:
        """Count what a boto3 session deletes in the account of a seat, for each client that it makes from now on."""
        line = self._line(seat)

        def count(http_response: Any, model: Any, **_: Any) -> None:
            if http_response.status_code < HTTPStatus.MULTIPLE_CHOICES and model.name.startswith(("Delete", "Detach")):
                line.removed += 1

        session.events.register("after-call", count)

    @property
    def summary(self) -> str:
        """One sentence: how many are done, at work and waiting."""
        lines = self.lines.values()
        done, bad = sum(line.finished for line in lines), sum(line.finished and not line.good for line in lines)
        waiting = sum(line.state == WAITING for line in lines)
        trouble = f" ({bad} in trouble)" if bad else ""
        at_work = len(self.lines) - done - waiting
        return f"{done} of {len(self.lines)} done{trouble}, {at_work} at work, {waiting} waiting"

    def blocks(self, most: int = MOST_ROWS) -> list[Block]:
        """The summary, and the table below it."""
        return [sentences(self.summary), Table(("account", "region", "labs", "now", "removed"), self._rows(most))]

    def html(self) -> str:
        """The summary and the table, with a bar above them."""
        done = sum(line.finished for line in self.lines.values())
        bar = f'<progress max="{len(self.lines)}" value="{done}" aria-label="accounts done"></progress>'
        return bar + html_of(self.blocks())

    def _rows(self, most: int) -> list[tuple[str, str, str, str, str]]:
        """The lines that matter most; at the end only those in trouble, since a report follows."""
        lines = sorted(self.lines.values(), key=lambda line: line.rank if len(self.lines) > most else 0)
        over = all(line.finished for line in lines)
        shown = [line for line in lines if not (over and line.good)][: max(most, 1)]
        return [(n.account, n.region, str(n.labs), n.state, str(n.removed or "")) for n in shown]

    def _line(self, seat: Seat) -> Line:
        return self.lines[seat.account, seat.region]


# Shows a progress while a block runs; the block calls what it is given to show the latest.
Display = Callable[[Progress], AbstractContextManager[Callable[[], None]]]


def suitable_display() -> Display:
    """The display for where this runs: a notebook, a terminal, or neither."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None:
        return in_notebook
    return on_terminal if sys.stderr.isatty() else line_by_line


@contextmanager
def on_terminal(progress: Progress) -> Iterator[Callable[[], None]]:
    """A table on standard error that is drawn over itself."""
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs these three
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(stderr=True, highlight=False)

    def latest() -> Text:
        return Text(text_of(progress.blocks(console.height - 6)))

    with Live(latest(), console=console, auto_refresh=False) as live:
        try:
            yield lambda: live.update(latest(), refresh=True)
        finally:
            live.update(latest(), refresh=True)


@contextmanager
def in_notebook(progress: Progress) -> Iterator[Callable[[], None]]:
    """A widget under the cell. Where a notebook is only viewed, a sentence stands in its place."""
    from IPython.display import publish_display_data  # noqa: PLC0415 - a terminal need not wait for these two
    from ipywidgets import HTML  # noqa: PLC0415

    widget, sentence = HTML(_in_page_style(progress)), f"Working on {counted(len(progress.lines), 'account')}."
    bundle: Any = widget._repr_mimebundle_()
    shown = {**bundle, "text/plain": sentence, "text/html": sentences(sentence).html()}
    publish_display_data(shown)  # type: ignore[no-untyped-call]  # IPython leaves it without types

    def show() -> None:
        widget.value = _in_page_style(progress)

    try:
        yield show
    finally:
        show()


def _in_page_style(progress: Progress) -> str:
    """The progress in JupyterLab's own style for pages, which a widget does not have by itself."""
    return f'<div class="jp-RenderedHTMLCommon" style="width: fit-content">{progress.html()}</div>'


@contextmanager
def line_by_line(progress: Progress) -> Iterator[Callable[[], None]]:
    """A line on standard error for each account that is done."""
    told: set[tuple[str, str]] = set()

    def show() -> None:
        for key, line in progress.lines.items():
            if line.finished and key not in told:
                told.add(key)
                print(f"{line.account} {line.region}: {line.state}", file=sys.stderr)

    try:
        yield show
    finally:
        show()
