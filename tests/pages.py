"""A page without a browser: it hears the events of a run of `pick`, and gives commands."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from conftest import Sessions
from ptpfast import FileResult, ObjectInfo, Session
from ptpfast.library.plan.options import Options
from ptpfast.pick.board import Board
from ptpfast.pick.desk import Desk
from ptpfast.pick.downloading import Downloading
from ptpfast.pick.server import Server
from ptpfast.sim import SimulatedCamera

PATIENCE_S = 60.0
OWN = {"X-Ptpfast-Pick": "1", "Content-Type": "application/json"}


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


class Page:
    """An open page. `wait_for` waits until the events have said something."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.parts = urlsplit(address)
        self.origin = f"http://{self.parts.netloc}"
        self.pictures: dict[int, dict[str, Any]] = {}
        self.thumbnails: set[int] = set()
        self.state: dict[str, Any] = {}
        self.has_ended = False
        self._changed = threading.Condition()
        self._connection = http.client.HTTPConnection(self.parts.netloc, timeout=PATIENCE_S)
        self._connection.request("GET", f"{self.parts.path}events")
        self._response = self._connection.getresponse()
        self._thread = threading.Thread(target=self._hear)
        self._thread.start()

    def _hear(self) -> None:
        name = ""
        for line in self._response:
            text = line.decode("ascii").rstrip("\n")
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                with self._changed:
                    self._take(name, json.loads(text.removeprefix("data: ")))
                    self._changed.notify_all()
        with self._changed:
            self.has_ended = True
            self._changed.notify_all()

    def _take(self, name: str, data: Any) -> None:
        if name == "reset":
            self.pictures.clear()
        elif name == "pictures":
            self.pictures |= {each["id"]: each for each in data}
        elif name == "gone":
            self.pictures = {n: each for n, each in self.pictures.items() if n not in data}
        elif name == "thumbnails":
            self.thumbnails.update(data)
        elif name == "state":
            self.state = data

    def close(self) -> None:
        """The server has to have ended."""
        self._thread.join()
        self._connection.close()

    def wait_for(self, what: Callable[[], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(what, PATIENCE_S), (self.state, self.pictures)

    def wait_until_listed(self, pictures: int) -> None:
        self.wait_for(
            lambda: self.camera.get("state") == "ready" and len(self.pictures) == pictures
        )

    @property
    def camera(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state.get("camera", {})
        return found

    @property
    def download(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state.get("download", {})
        return found

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Ask with the headers that a browser sends for the page, or with other ones."""
        if headers is None:
            headers = {"Origin": self.origin, **OWN} if method == "POST" else {}
        given = body if isinstance(body, bytes | None) else json.dumps(body)
        connection = http.client.HTTPConnection(self.parts.netloc, timeout=PATIENCE_S)
        try:
            connection.request(method, path, given, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def below(self, path: str) -> str:
        return f"{self.parts.path}{path}"

    def command(self, **given: Any) -> dict[str, Any]:
        answer = self.ask("POST", self.below("command"), given)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def images(self, *ids: int) -> dict[int, bytes]:
        """The thumbnails that are here."""
        body = self.ask("POST", self.below("thumbnails"), {"ids": ids}).body
        found = {}
        while body:
            number, size = (int.from_bytes(body[at : at + 4], "big") for at in (0, 4))
            found[number], body = body[8 : 8 + size], body[8 + size :]
        return found


class Opened:
    """A run of `pick` without its command."""

    def __init__(self, page: Page, desk: Desk, session: Session, results: list[FileResult]) -> None:
        self.page = page
        self.desk = desk
        self.session = session
        self.results = results
        self.opening = ""


class Held:
    """Has a lost session wait with its reconnect until `release`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._released = threading.Event()
        reconnect = Session.reconnect

        def held(session: Session, patience: Any = None) -> None:
            assert self._released.wait(PATIENCE_S)
            reconnect(session, patience)

        patch.setattr(Session, "reconnect", held)

    def release(self) -> None:
        self._released.set()


class Gate:
    """Has the download wait in the middle of a file, after so many bytes, until `open`."""

    def __init__(self, patch: pytest.MonkeyPatch, after: int) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()
        progress = Downloading.progress

        def held(own: Downloading, info: ObjectInfo, received: int, size: int | None) -> None:
            progress(own, info, received, size)
            if after <= received < (size or 0) and not self._opened.is_set():
                self._reached.set()
                assert self._opened.wait(PATIENCE_S)

        patch.setattr(Downloading, "progress", held)

    def wait(self) -> None:
        """Wait until the download does."""
        assert self._reached.wait(PATIENCE_S)

    def open(self) -> None:
        self._opened.set()


@contextmanager
def picking(
    connect: Sessions, camera: SimulatedCamera, folder: Path, **options: Any
) -> Iterator[Opened]:
    """Run `pick`, with a page that hears it."""
    results: list[FileResult] = []
    with ExitStack() as stack:
        session = stack.enter_context(connect(camera, **options.pop("connecting", {})))
        board = Board(str(folder))
        desk = Desk(session, Options.of(folder, options), board, results.append)
        server = Server(board, desk)
        page = None
        try:
            stack.enter_context(server)
            desk.start()
            stack.callback(desk.close)
            page = Page(server.address)
            opened = Opened(page, desk, session, results)
            opened.opening = server.opening
            yield opened
            assert desk.error is None
        finally:
            stack.close()
            if page is not None:
                page.close()
