"""How fast it is: `make bench`, or `python -m tests.bench SUBJECT...` for some of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from labkit.text.blocks import Table
from tests.benches import attacks, building, fleet, layer, startup, tokens
from tests.benches.measuring import Figure

SUBJECTS: dict[str, Callable[[], Iterable[Figure]]] = {
    "startup": startup.figures,
    "tokens": tokens.figures,
    "attacks": attacks.figures,
    "layer": layer.figures,
    "building": building.figures,
    "fleet": fleet.figures,
}


def main(subjects: list[str]) -> None:
    """Measure the subjects named, or all, and print their figures."""
    for subject in subjects or SUBJECTS:
        print(Table((subject, "measured", "aim: at most"), list(SUBJECTS[subject]())).text())
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
