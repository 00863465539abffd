"""What AWS has answered while a verb runs, so that nothing is asked twice in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock
from typing import Any

from labkit.aws import is_read


class Answers:
    """The answers to a verb's reading calls. A call that changes something makes a service's answers forgotten."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Hashable], Any] = {}
        self._changes: Counter[str] = Counter()
        self._heard: dict[str, tuple[Any, Callable[..., None]]] = {}
        self._lock = Lock()

    def listen(self, service: str, client: Any) -> None:
        """Hear of every change that a client of a service makes."""
        if service not in self._heard:
            self._heard[service] = client, partial(self._changing, service)
            for event in _BEGIN_AND_END:
                client.meta.events.register(event, self._heard[service][1])

    def close(self) -> None:
        """Keep nothing and hear no more."""
        self.forget()
        for client, handler in self._heard.values():
            for event in _BEGIN_AND_END:
                client.meta.events.unregister(event, handler)

    def to(self, service: str, question: Hashable, ask: Callable[[], Any]) -> Any:
        """The answer to a question that a service is asked, asked once."""
        with self._lock:
            if (service, question) in self._kept:
                return self._kept[service, question]
            changes = self._changes[service]
        answer = ask()
        with self._lock:
            if changes == self._changes[service]:  # it may be older than a change that was made meanwhile
                self._kept[service, question] = answer
        return answer

    def forget(self, service: str | None = None) -> None:
        """Forget the answers of a service, or all."""
        with self._lock:
            for key in [key for key in self._kept if service in (None, key[0])]:
                del self._kept[key]
            self._changes.update([service] if service else list(self._heard))

    def _changing(self, service: str, event_name: str, **_: Any) -> None:
        if not is_read(event_name.rpartition(".")[2]):  # of a call that fails the SDK tells no more than this name
            self.forget(service)


# A read that ran beside a change counts neither as before nor as after it.
_BEGIN_AND_END = ("before-call", "after-call", "after-call-error")
