"""The embedded cloud's own layer around MiniStack: no stranger gets in, and what AWS refuses is refused in its words.

A request passes, in this order: strangers (`rules.strangers`), before its body is read; then either the data plane of
an HTTP API (`rules.data_plane`), or a page that needs no credentials (`rules.pages`), or the weather (`rules.weather`)
and the rules of the AWS operation that it calls, with MiniStack in their middle.
"""

from __future__ import annotations

import inspect
import json
import logging
import time
from contextlib import suppress
from typing import Any

from labkit.cloud.exchange import (
    Answer,
    App,
    DisconnectedError,
    Receive,
    Request,
    Scope,
    Send,
    TooLargeError,
    ask,
    skip_body,
)
from labkit.cloud.protocol import HEALTH_PATH, PRIVATE, VISITS, ServerSettings
from labkit.cloud.rules import data_plane, operations, pages, signature, state, strangers, tidy
from labkit.cloud.rules.call import Call, Here, Refusal, UnknownCallError, read_call, refused
from labkit.cloud.rules.catalog import AFTER, BEFORE, PATCHES
from labkit.cloud.rules.lambda_ import texts_match_their_patterns
from labkit.cloud.rules.memory import Deployments, SignIns, Weather
from labkit.cloud.rules.registry import Function
from labkit.cloud.rules.strangers import ToApi, ToPage, ToService
from labkit.cloud.rules.weather import conflicting, throttled
from labkit.cloud.visits import Visits

log = logging.getLogger(__name__)


def wrap(app: App, settings: ServerSettings, port: int) -> App:
    """Put the layer around MiniStack.

    Args:
        app: MiniStack's ASGI application, imported with AUTH=true and this account id and access key id as its own.
        settings: those of the cloud. Its access key is the only lasting one that it knows.
        port: the port that it is served on.

    Returns:
        The ASGI application to serve. It answers every path.

    Raises:
        LabError: MiniStack is of another version than the one that the rules were written for.
    """
    state.require_version()
    sky = Weather(settings.weather, settings.seed)
    known = settings.access_key_id, settings.secret_access_key, settings.account_id, port
    here = Here(*known, sky, Deployments(), SignIns(), Visits(), time.time)
    state.set_function_delay(sky.settling("function"))
    for module, name, function in PATCHES:
        state.install(module, name, function, here)
    return Layer(app, here, settings.instance).serve


class Layer:
    """The way of a request."""

    def __init__(self, app: App, here: Here, instance: str) -> None:
        self.app = app
        self.here = here
        self.health = Answer.of_json(200, {"instance": instance})

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI application."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            with suppress(DisconnectedError):
                await (await self._answer(scope, receive)).send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._way(scope, receive)
        except DisconnectedError:
            raise
        except TooLargeError:
            return Answer.of_json(413, {"message": "Request Entity Too Large"})
        except Exception:
            log.exception("A rule of the embedded cloud failed")
            return Answer.of_json(500, {"message": "Internal Server Error"})

    async def _way(self, scope: Scope, receive: Receive) -> Answer:
        head = Request.head(scope)
        door = strangers.admit(head, self.here)
        if isinstance(door, Answer):
            await skip_body(receive)
            return door
        request = await head.whole(receive)
        match door:
            case ToApi(api_id, raw_path):
                answer = await data_plane.answer(self.here, request, api_id, raw_path)
                self.here.visits.note(request, api_id, raw_path, answer.status)
                return answer
            case ToPage():
                return pages.in_no_frame(pages.refuse(request) or await self._page(scope, request))
            case ToService():
                return strangers.refuse_unproved(request, door, self.here) or await self._service(scope, request, door)

    async def _page(self, scope: Scope, request: Request) -> Answer:
        if request.raw_path.startswith(HEALTH_PATH):
            return self.health
        answer = await ask(self.app, scope, pages.opened(request))
        return tidy.without_cors(pages.closed(answer))

    async def _service(self, scope: Scope, request: Request, door: ToService) -> Answer:
        if door.service in PRIVATE:
            told = self.here.visits.to_json() if door.service == VISITS else state.function_regions()
            return Answer.of_json(200, told)
        try:
            call = read_call(self.here, request, door.service, door.region)
        except UnknownCallError:
            return refused(door.service, Refusal("UnknownOperationException", "No operation of this service.", 404))
        except (ValueError, RecursionError):
            return refused(door.service, Refusal("SerializationException", "The body is not what the service reads."))
        answer = await _first(call) or await self._ministack(scope, call, door)
        for rule in AFTER[call.service, call.operation]:
            answer = rule(call, answer) or answer
        return answer

    async def _ministack(self, scope: Scope, call: Call, door: ToService) -> Answer:
        request = call.request
        if call.changed:
            request = request.with_body(json.dumps(call.params).encode())
            request = signature.signed_again(request, door.claim, self.here) if door.claim else request
        with operations.signed_for(call.service):
            answer = await ask(self.app, scope, request)
        return tidy.without_cors(tidy.nothing_internal_leaks(call, answer))


async def _first(call: Call) -> Answer | None:
    """What the rules before MiniStack answer, the first that does."""
    served = operations.only_served_operations, operations.one_request_says_one_thing
    gates = *served, throttled, conflicting, texts_match_their_patterns
    for rule in (*gates, *BEFORE[call.service, call.operation]):
        verdict = await _verdict(rule, call)
        if verdict is not None:
            return refused(call.service, verdict) if isinstance(verdict, Refusal) else verdict
    return None


async def _verdict(rule: Function, call: Call) -> Any:
    verdict = rule(call)
    return await verdict if inspect.isawaitable(verdict) else verdict
