"""A page on this computer that shows live view frames as they come."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..pick.loopback import Loopback
from ..pick.serving import Serving

if TYPE_CHECKING:
    from ..session.live import Frame

log: logging.Logger = logging.getLogger("ptpfast")

MOST_STRANGERS = 32
SLOWEST_S: float | None = 2.0  # that a browser may take for a piece of a request, and for a frame
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
_FRAME_POLICY = "default-src 'none'; sandbox"  # a frame is not a page, whatever it contains
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Live view</title>
<meta name="viewport" content="width=device-width">
<style>
  html, body { margin: 0; height: 100%; background: #111 }
  img { width: 100%; height: 100%; object-fit: contain }
</style>
<img src="stream" alt="What the camera sees now">
"""


class _Server(ThreadingHTTPServer):
    """The server of the page. Any program can connect: none of them holds it up."""

    daemon_threads = False  # the end waits for them

    def __init__(self, *given: Any) -> None:
        self._lock = threading.RLock()  # also if Ctrl-C comes while it is held
        self._strangers: dict[Any, None] = {}  # connections without the token, the oldest first
        self._guests: dict[Any, None] = {}
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread; if there are many, the oldest without the token ends."""
        with self._lock:
            self._strangers[request] = None
            if len(self._strangers) > MOST_STRANGERS:
                _end(next(iter(self._strangers)))
        super().process_request(request, client_address)

    def welcome(self, request: Any) -> None:
        """Note that a connection has the token."""
        with self._lock:
            self._guests[request] = self._strangers.pop(request, None)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection, and close it."""
        with self._lock:
            self._strangers.pop(request, None)
            self._guests.pop(request, None)
            super().shutdown_request(request)

    def end_connections(self) -> None:
        """End all connections: a browser that is slow, or never asks, has its thread wait."""
        with self._lock:
            for request in (*self._strangers, *self._guests):
                _end(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep the traceback of a lost connection off the terminal."""
        log.debug("a connection to the page is lost", exc_info=True)


def _end(request: socket.socket) -> None:
    with suppress(OSError):  # it has just ended
        request.shutdown(socket.SHUT_RDWR)


class LivePage(Serving):
    """A web page with the newest frame, served to browsers on this computer only.

    A browser that is slower than the camera misses frames. The address has a token, because any
    program and any web site that this computer shows could ask for a port.

    Attributes:
        address: the address of the page.
    """

    def __init__(self, host: str, port: int) -> None:
        self._newest: tuple[int, bytes] = (0, b"")
        self._changed = threading.Condition()
        self._ended = False
        self._server = _Server((host, port), self._handler())
        self._here = Loopback.at(self._server.server_port, host)
        self.address: str = self._here.address
        super().__init__(self._server.serve_forever, "ptpfast-live-page")

    def _stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.end_connections()

    def _close(self) -> None:
        self._server.server_close()

    def show(self, frame: Frame) -> None:
        """Show a frame from now on."""
        with self._changed:
            self._newest = self._newest[0] + 1, frame
            self._changed.notify_all()

    def _after(self, number: int) -> tuple[int, bytes] | None:
        """Return a frame that is newer than `number`, once there is one; None at the end."""
        with self._changed:
            while self._newest[0] <= number and not self._ended:
                self._changed.wait()
            return None if self._ended else self._newest

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            server_version = f"ptpfast/{__version__}"
            timeout = SLOWEST_S

            def do_GET(self) -> None:
                """Answer with the page, or with frames until the browser closes."""
                path = page._here.below(self.path)
                if not page._here.is_own(self.headers.get("Host", "")):
                    self.send_error(404)
                elif path == "":
                    page._server.welcome(self.connection)
                    self._send_page()
                elif path == "stream":
                    page._server.welcome(self.connection)
                    self._send_frames()
                else:
                    self.send_error(404)

            def _send_page(self) -> None:
                content = PAGE.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Security-Policy", POLICY)
                self.end_headers()
                self.wfile.write(content)

            def _send_frames(self) -> None:
                # Browsers part frames by it alone: a camera that knew it could send a page.
                boundary = secrets.token_hex(16)
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={boundary}")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Security-Policy", _FRAME_POLICY)
                self.send_header("X-Content-Type-Options", "nosniff")
                self.end_headers()
                number = 0
                try:
                    while (newest := page._after(number)) is not None:
                        number, picture = newest
                        head = f"--{boundary}\r\nContent-Type: image/jpeg\r\n"
                        self.wfile.write(f"{head}Content-Length: {len(picture)}\r\n\r\n".encode())
                        self.wfile.write(picture + b"\r\n")
                except OSError:  # the browser has closed it, or takes nothing
                    self.close_connection = True

            def log_message(self, format: str, *arguments: Any) -> None:
                """Keep requests off the terminal."""

        return Handler
