"""A page on this computer that shows live view frames as they come."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .._version import __version__
from ..pick.loopback import Loopback

if TYPE_CHECKING:
    from ..session.live import Frame

BOUNDARY = "ptpfast-frame"
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
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
    daemon_threads = False  # the end waits for them


class LivePage:
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
        self._thread = threading.Thread(target=self._server.serve_forever, name="ptpfast-live-page")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
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
            timeout = 2  # seconds that a browser may take for a request, and for each frame

            def do_GET(self) -> None:
                """Answer with the page, or with frames until the browser closes."""
                path = page._here.below(self.path)
                if not page._here.is_own(self.headers.get("Host", "")):
                    self.send_error(404)
                elif path == "":
                    self._send_page()
                elif path == "stream":
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
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                number = 0
                try:
                    while (newest := page._after(number)) is not None:
                        number, picture = newest
                        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                        self.wfile.write(f"{head}Content-Length: {len(picture)}\r\n\r\n".encode())
                        self.wfile.write(picture + b"\r\n")
                except OSError:  # the browser has closed it, or takes nothing
                    self.close_connection = True

            def log_message(self, format: str, *arguments: Any) -> None:
                """Keep requests off the terminal."""

        return Handler
