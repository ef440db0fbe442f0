"""Questions to a simulated camera over HTTP: for its description, or to open its port."""

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
        answer: returns the text for a path, and whether the camera's port opens; None for a path
            that there is not.
        opens: opens it.
        counters: of the camera.
    """

    def __init__(
        self,
        host: str,
        answer: Callable[[str], tuple[str, bool] | None],
        opens: Callable[[], object],
        counters: Counters,
    ) -> None:
        self._answer = answer
        self._opens = opens
        self._listener = Listener(host, 0, _prepare, self._serve, counters)
        self.port: int = self._listener.port
        self._listener.start()

    def close(self) -> None:
        """End all connections and threads."""
        self._listener.close()

    def _serve(self, sock: socket.socket) -> None:
        try:
            path = _path_of(sock)
            if path is None:
                return
            answer = self._answer(path)
            if answer is None:
                sock.sendall(_packed("404 Not Found", ""))
                return
            text, opens = answer
            if opens:
                self._opens()
            sock.sendall(_packed("200 OK", text))
        except OSError:
            pass  # the client has left


def _packed(status: str, text: str) -> bytes:
    body = text.encode()
    lines = (
        f"HTTP/1.1 {status}",
        'Content-Type: text/xml; charset="utf-8"',
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


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
