"""A gate in front of a simulated camera: questions over HTTP that open its port for PTP/IP."""

from __future__ import annotations

import socket
from collections.abc import Callable

from .counters import Counters
from .listener import Listener

LONGEST_QUESTION = 1 << 14
_WAIT_S = 5.0
_END = b"\r\n\r\n"


class HttpGate:
    """A listener for GET requests.

    Args:
        host: where to listen, at any free port.
        answer: returns the text for a path, and whether the camera's port opens.
        opens: opens it.
        counters: of the camera.
    """

    def __init__(
        self,
        host: str,
        answer: Callable[[str], tuple[str, bool]],
        opens: Callable[[], object],
        counters: Counters,
    ) -> None:
        self._answer = answer
        self._opens = opens
        self._listener = Listener(host, 0, _prepare, self._serve, counters)
        self.port = self._listener.port
        self._listener.start()

    def close(self) -> None:
        """End all connections and threads."""
        self._listener.close()

    def _serve(self, sock: socket.socket) -> None:
        try:
            path = _path_of(sock)
            if path is None:
                return
            text, opens = self._answer(path)
            if opens:
                self._opens()
            body = text.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            sock.sendall(head.encode() + body)
        except OSError:
            pass  # the client has left


def _prepare(sock: socket.socket) -> socket.socket:
    sock.settimeout(_WAIT_S)
    return sock


def _path_of(sock: socket.socket) -> str | None:
    """Return the path that a GET request names; None for another request."""
    question = b""
    while _END not in question:
        piece = sock.recv(LONGEST_QUESTION)
        question += piece
        if not piece or len(question) > LONGEST_QUESTION:
            return None
    words = question.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
    return words[1] if len(words) == 3 and words[0] == "GET" else None
