"""PC AutoSave: a camera in the same network calls this computer, which then fetches its pictures.

The camera broadcasts on UDP; the computer answers on TCP; the camera calls back on TCP; then the
computer connects to port 55740 as ever. A camera is registered once, and connects by the computer's
name from then on. Fujifilm has removed this from bodies since 2022.

Sources: fudge (lib/discovery.c) and vcam (src/fuji/ssdp.c).
"""

from __future__ import annotations

import logging
import select
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from ...ptp.errors import ConnectFailed, ProtocolError
from . import signs, texts

log: logging.Logger = logging.getLogger("ptpfast")

CALL_BACK_S = 30.0  # for the camera's own connection (vcam: about 2 s)
ANSWER_S = 5.0  # for a text
_RECEIVE = 2048

Kind = Literal["register", "connect"]


@dataclass(frozen=True)
class AutoSavePorts:
    """The ports: of this computer for a registration and a connection, and of the camera."""

    register: int = signs.REGISTER
    connect: int = signs.CONNECT
    camera: int = 51540


class Caller(NamedTuple):
    """A camera that has called.

    Attributes:
        kind: `register`, once for each camera, or `connect`: its pictures can be fetched.
        host: The camera's address, for `ptpfast.connect(host, vendor="fujifilm")`.
        name: What the camera calls itself.
        model: The model; empty but for a registration.
    """

    kind: Kind
    host: str
    name: str
    model: str = ""


class AutoSave:
    """A computer that waits for cameras, from when it is made until `close`; use it in a `with`.

    Args:
        name: this computer's name. A registered camera asks for it.
        host: the address to listen at; all by default.
        ports: other ports than the known ones, for tests.

    Raises:
        OSError: a port is in use, for example by Fujifilm's own program.
    """

    def __init__(self, name: str, host: str = "", ports: AutoSavePorts | None = None) -> None:
        self.name = name
        self._camera_port = (ports or AutoSavePorts()).camera
        self._sockets: list[socket.socket] = []
        self._broadcasts: dict[socket.socket, Kind] = {}
        self._servers: dict[Kind, socket.socket] = {}
        self.ports: dict[Kind, int] = {}
        wanted = ports or AutoSavePorts()
        kinds: tuple[tuple[Kind, int], ...] = (
            ("register", wanted.register),
            ("connect", wanted.connect),
        )
        try:
            for kind, port in kinds:
                self._listen(kind, host, port)
        except BaseException:
            self.close()
            raise

    def _listen(self, kind: Kind, host: str, port: int) -> None:
        """Listen at the same number of TCP and UDP."""
        server = socket.create_server((host, port))
        self._sockets.append(server)
        broadcasts = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sockets.append(broadcasts)
        broadcasts.bind((host, server.getsockname()[1]))
        self._servers[kind], self._broadcasts[broadcasts] = server, kind
        self.ports[kind] = server.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        for sock in self._sockets:
            sock.close()

    def wait(self, timeout_s: float) -> Caller | None:
        """Return the next camera that calls; None after so many seconds without one.

        What does not follow the known texts is ignored.
        """
        give_up = time.monotonic() + timeout_s
        while (left := give_up - time.monotonic()) > 0:
            for broadcasts in select.select(list(self._broadcasts), [], [], left)[0]:
                data, (host, _) = broadcasts.recvfrom(texts.LONGEST + 1)
                try:
                    caller = self._answer(self._broadcasts[broadcasts], data, host)
                except (ProtocolError, OSError) as error:
                    log.info("%s called, but not as a camera does: %s", host, error)
                else:
                    if caller is not None:
                        return caller
        return None

    def _answer(self, kind: Kind, data: bytes, host: str) -> Caller | None:
        """Answer a broadcast; None for one that is meant for another computer."""
        text = texts.parse_text(data)
        match text.words:
            case ["DISCOVER", _, *_]:
                pass
            case _:
                raise ProtocolError(f"a broadcast that begins with {text.first!r:.60}")
        if text.fields.get("SERVICE") != texts.SERVICE:
            raise ProtocolError("a broadcast for another service")
        if text.fields.get("DSCADDR", host) != host:
            raise ProtocolError(f"a broadcast of {host} for another address")
        if kind == "connect" and text.about != self.name:
            return None
        self._notify(host, self.name)
        return self._called_back(kind, host)

    def _notify(self, host: str, name: str) -> None:
        with socket.create_connection((host, self._camera_port), ANSWER_S) as sock:
            sock.sendall(texts.notify(f"{host}:{self._camera_port}", name))
            answer = _receive(sock)
        if not answer.first.startswith(texts.OK):
            raise ConnectFailed(f"{host} answered {answer.first!r:.60}")

    def _called_back(self, kind: Kind, host: str) -> Caller:
        """Take the camera's own connection; those of others are closed."""
        give_up = time.monotonic() + CALL_BACK_S
        server = self._servers[kind]
        while (left := give_up - time.monotonic()) > 0:
            server.settimeout(left)
            sock, (caller, _) = server.accept()
            with sock:
                if caller != host:
                    continue
                sock.settimeout(ANSWER_S)
                return self._taken(kind, host, sock)
        raise ConnectFailed(f"{host} did not call back")

    def _taken(self, kind: Kind, host: str, sock: socket.socket) -> Caller:
        text = _receive(sock)
        if text.words[:1] != [{"register": "REGISTER", "connect": "IMPORT"}[kind]]:
            raise ProtocolError(f"a call that begins with {text.first!r:.60}")
        sock.sendall(texts.registered() if kind == "register" else texts.accepted())
        name, model = (text.fields.get(field, "") for field in ("DSCNAME", "DSCMODEL"))
        return Caller(kind, host, name, model)


def _receive(sock: socket.socket) -> texts.Text:
    """Return a text. It ends with the connection, an empty line, or a pause."""
    data = b""
    while len(data) <= texts.LONGEST:
        with suppress(TimeoutError):
            piece = sock.recv(_RECEIVE)
            data += piece
            # No empty line is needed at the end: what has come so far may be all.
            if piece and not data.endswith(b"\r\n"):
                continue
        break
    return texts.parse_text(data)
