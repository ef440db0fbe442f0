"""The answers of the server: the page, what it shows, and its commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from ..engine.text import printable
from ..ptp.errors import PTPError
from .feed import Feed
from .guard import Guard
from .picture import TAKES

if TYPE_CHECKING:
    from .board import Board
    from .desk import Desk
    from .feed import Changes
    from .loopback import Loopback

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
MOST_BODY = 1 << 20  # bytes of a command: the numbers of a hundred thousand pictures
MOST_THUMBNAILS = 200  # of one request
MOST_NUMBER = 1 << 31
AT_A_TIME = 500  # pictures of one event
PACE_S = 0.1  # between two events: a browser has no use for more
HEARTBEAT_S = 15.0


class BadRequest(Exception):
    """A request that the page does not make."""


class App:
    """The application of one run."""

    def __init__(self, here: Loopback, board: Board, desk: Desk, ticket: str) -> None:
        """ticket: a path that leads to the page once."""
        self._board = board
        self._desk = desk
        routes = [
            Route("/events", self._events),
            Route("/thumbnails", self._thumbnails, methods=["POST"]),
            Route("/preview/{number:int}", self._preview),
            Route("/command", self._command, methods=["POST"]),
            *(_static(f"/{name}", name) for name in _page_files()),
            _static("/", "index.html"),
        ]
        refused = {BadRequest: _bad_request, ClientDisconnect: _bad_request}
        app = Starlette(routes=routes, exception_handlers=refused)
        self.asgi: ASGIApp = Guard(app, here, ticket)

    async def _events(self, request: Request) -> Response:
        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[str]:
        """Yield events: everything first, then what changes."""
        feed = Feed(asyncio.get_running_loop())
        self._board.subscribe(feed)
        try:
            while (changes := await feed.next(HEARTBEAT_S)) is not None:
                for text in self._events_of(changes):
                    yield text
                await asyncio.sleep(PACE_S)
            yield _event("end", {})
        finally:
            self._board.leave(feed)

    def _events_of(self, changes: Changes) -> list[str]:
        texts = [": \n\n"]
        records = self._board.records(None if changes.all else sorted(changes.pictures))
        if changes.all:
            texts.append(_event("reset", {}))
        texts += [
            _event("pictures", records[start : start + AT_A_TIME])
            for start in range(0, len(records), AT_A_TIME)
        ]
        if changes.all:
            texts.append(_event("complete", {}))
        elif gone := [each for each in changes.pictures if self._board.picture(each) is None]:
            texts.append(_event("gone", sorted(gone)))
        if changes.thumbnails:
            texts.append(_event("thumbnails", sorted(changes.thumbnails)))
        if changes.state:
            texts.append(_event("state", self._state()))
        return texts

    def _state(self) -> dict[str, Any]:
        state = self._board.state()
        for part in ("camera", "download"):
            for name in ("name", "message"):
                state[part][name] = printable(state[part][name])
        return state

    async def _thumbnails(self, request: Request) -> Response:
        """Answer with thumbnails, each after its number and its length in 4 bytes.

        A picture without one has length 0. What is not here yet is asked for, and left out.
        """
        numbers = _numbers(await _json(request), "ids")
        if len(numbers) > MOST_THUMBNAILS:
            raise BadRequest("too many thumbnails at a time")
        self._desk.look_at(numbers)
        parts: list[bytes] = []
        for number in numbers:
            picture = self._board.picture(number)
            found = self._board.thumbnail(number)
            if found is None and picture is not None and picture.thumbnail_failed:
                found = b""
            if found is not None:
                parts += [number.to_bytes(4, "big"), len(found).to_bytes(4, "big"), found]
        return Response(b"".join(parts), media_type="application/octet-stream")

    async def _preview(self, request: Request) -> Response:
        try:
            found = await asyncio.wrap_future(self._desk.preview(request.path_params["number"]))
        except (asyncio.CancelledError, CancelledError):
            return JSONResponse({"message": "another picture was asked for"}, 409)
        except PTPError as error:
            return JSONResponse({"message": printable(error.message)}, 404)
        return Response(found, media_type="image/jpeg")

    async def _command(self, request: Request) -> Response:
        given = await _json(request)
        name = given.get("do")
        if name == "download":
            take = given.get("take", "both")
            if take not in TAKES:
                raise BadRequest("take is raw, jpeg or both")
            return JSONResponse({"files": self._desk.download(_numbers(given, "ids"), take)})
        plain = {
            "pause": self._desk.pause,
            "resume": self._desk.resume,
            "clear": self._desk.clear,
            "list": self._desk.list_again,
        }
        if not isinstance(name, str) or name not in plain:
            raise BadRequest("there is no such command")
        plain[name]()
        return JSONResponse({})


def _page_files() -> list[str]:
    page = files(__package__) / "page"
    return sorted(each.name for each in page.iterdir() if each.name.rpartition(".")[2] in TYPES)


def _static(path: str, name: str) -> Route:
    content = (files(__package__) / "page" / name).read_bytes()
    media_type = TYPES[name.rpartition(".")[2]]

    async def answer(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(path, answer)


async def _bad_request(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


async def _json(request: Request) -> dict[str, Any]:
    """Return the object in a request's body. BadRequest."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise BadRequest("too much for a command")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("not JSON") from None
    if not isinstance(given, dict):
        raise BadRequest("not an object")
    return given


def _numbers(given: dict[str, Any], name: str) -> list[int]:
    numbers = given.get(name)
    if not isinstance(numbers, list) or not all(
        type(each) is int and 0 <= each < MOST_NUMBER for each in numbers
    ):
        raise BadRequest(f"{name} is a list of numbers")
    return numbers


def _event(name: str, data: Any) -> str:
    """Return a server-sent event. JSON in ASCII has no line breaks."""
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
