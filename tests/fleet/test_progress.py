"""The progress says what every account is at, the urgent first, in a notebook as in a terminal."""

from __future__ import annotations

import re

import pytest

from labkit.fleet.progress import Progress, line_by_line
from labkit.fleet.roster import Seat
from labkit.text.blocks import text_of
from tests.fleet.classes import Classroom


def seats(number: int) -> list[tuple[Seat, ...]]:
    return [(Seat(n, f"a{n}", f"{n:012}", "us-east-1", "jwt-lab"),) for n in range(1, number + 1)]


def test_a_line_for_each_account() -> None:
    groups = seats(3)
    progress = Progress(groups)
    progress.say(groups[0][0], "removing jwt-lab")
    progress.finish(groups[1][0], "quarantined", good=False)
    progress.finish(groups[1][0], "done")

    assert text_of(progress.blocks()) == (
        "1 of 3 done (1 in trouble), 1 at work, 1 waiting\n"
        "\n"
        "account       region     labs    now               removed\n"
        "------------  ---------  ------  ----------------  ---------\n"
        "000000000001  us-east-1  1       removing jwt-lab\n"
        "000000000002  us-east-1  1       quarantined\n"
        "000000000003  us-east-1  1       waiting"
    )
    assert '<progress max="3" value="1" aria-label="accounts done"></progress>' in progress.html()
    for word in ("removing jwt-lab", "quarantined", "waiting", "1 of 3 done (1 in trouble)"):
        assert word in progress.html()


def test_at_the_end_only_trouble_is_shown() -> None:
    groups = seats(3)
    progress = Progress(groups)
    for (seat,) in groups:
        progress.finish(seat, good=seat.attendee != "a2")

    assert re.findall(r"^\d{12}", text_of(progress.blocks()), re.MULTILINE) == ["000000000002"]
    assert text_of(Progress(seats(0)).blocks()) == "0 of 0 done, 0 at work, 0 waiting"


def test_a_long_table_shows_trouble_and_work_first() -> None:
    groups = seats(500)
    progress = Progress(groups)
    for (seat,) in groups[:400]:
        progress.finish(seat)
    progress.finish(groups[450][0], "quarantined", good=False)
    progress.say(groups[460][0], "looking")

    shown = re.findall(r"^(\d{12})", text_of(progress.blocks(4)), re.MULTILINE)

    assert shown == ["000000000451", "000000000461", "000000000401", "000000000402"]
    assert len(re.findall(r"^\d{12}", text_of(progress.blocks()), re.MULTILINE)) == 40


def test_each_account_is_told_once_as_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    groups = seats(2)
    progress = Progress(groups)
    with line_by_line(progress) as show:
        show()
        progress.finish(groups[1][0], "clean")
        show()
        show()
        progress.finish(groups[0][0], "quarantined", good=False)

    assert capsys.readouterr() == ("", "000000000002 us-east-1: clean\n000000000001 us-east-1: quarantined\n")


def test_what_is_removed_is_counted_as_it_goes(classroom: Classroom) -> None:
    classroom.of("ana").up("functions")
    seen: list[Progress] = []

    def watching(progress: Progress) -> object:
        seen.append(progress)
        return line_by_line(progress)

    classroom.fleet(display=watching).reset(3)

    assert [line.removed for line in seen[0].lines.values()] == [12, 0, 0]
    assert [line.state for line in seen[0].lines.values()] == ["clean"] * 3
