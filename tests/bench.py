"""How fast it is: `make bench`, or `python -m tests.bench SUBJECT...` for some of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from tabulate import tabulate

from tests.benches import attacks, building, fleet, layer, tokens
from tests.benches.measuring import Figure

SUBJECTS: dict[str, Callable[[], Iterable[Figure]]] = {
    "tokens": tokens.figures,
    "attacks": attacks.figures,
    "layer": layer.figures,
    "building": building.figures,
    "fleet": fleet.figures,
}


def main(subjects: list[str]) -> None:
    """Measure the subjects named, or all, and print their figures."""
    for subject in subjects or SUBJECTS:
        print(tabulate(list(SUBJECTS[subject]()), headers=[subject, "measured", "aim: at most"], disable_numparse=True))
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
