"""What AWS has answered while a verb runs, so that nothing is asked twice in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from labkit.aws import is_read


class Answers:
    """The answers to a verb's reading calls. A call that changes something makes a service's answers forgotten."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Hashable], Any] = {}
        self._changes: Counter[str] = Counter()
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def listen(self, service: str, client: Any) -> None:
        """Hear of every change that a client of a service makes."""
        if service not in self._clients:
            self._clients[service] = client
            for event in _BEGIN_AND_END:
                client.meta.events.register(event, self._changing)

    def close(self) -> None:
        """Keep nothing and hear no more."""
        self.forget()
        for client in self._clients.values():
            for event in _BEGIN_AND_END:
                client.meta.events.unregister(event, self._changing)

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
            self._changes.update([service] if service else list(self._clients))

    def _changing(self, model: Any, **_: Any) -> None:
        if not is_read(model.name):
            self.forget(model.service_model.service_name)


# A read that ran beside a change counts neither as before nor as after it.
_BEGIN_AND_END = ("before-call", "after-call", "after-call-error")
