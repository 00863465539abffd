"""A progress that nobody sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labkit.fleet.progress import Progress


@contextmanager
def unseen(progress: Progress) -> Iterator[Callable[[], None]]:
    """Show nothing."""
    yield lambda: None
