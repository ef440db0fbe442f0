"""The server of the page: uvicorn on a thread, at an address of this computer only."""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import App
from .loopback import HERE, Loopback
from .serving import Serving

if TYPE_CHECKING:
    from .board import Board
    from .desk import Desk

MOST_HEAD = 16 << 10  # bytes of a request before its body
MOST_CONNECTIONS = 64
MOST_SILENT = 16  # connections without a request
CLOSE_S = 2  # for answers under way at the end


class _Protocol(H11Protocol):
    """HTTP, by programs that may connect and never ask: those do not take a page's place."""

    def connection_made(self, transport: Any) -> None:
        """Begin a connection; if many have not asked, the oldest of them ends."""
        super().connection_made(transport)
        self.began: float = self.loop.time()
        everyone: set[Any] = self.connections
        silent = [each for each in everyone if not each.cycle and not each.transport.is_closing()]
        if len(silent) > MOST_SILENT:
            min(silent, key=lambda each: each.began).transport.close()


class Server(Serving):
    """The server of a desk; use it in a `with`. OSError if the port cannot be used.

    Attributes:
        address: The address of the page.
        opening: An address that leads to the page once. The command line of a browser, which has
            it, is no secret: other users of this computer see it.
    """

    def __init__(self, board: Board, desk: Desk, port: int = 0) -> None:
        self._board = board
        self._socket = socket.create_server((HERE, port))
        here = Loopback.at(self._socket.getsockname()[1])
        ticket = secrets.token_urlsafe(16)
        self.address: str = here.address
        self.opening: str = f"{here.origin}/{ticket}"
        config = uvicorn.Config(
            App(here, board, desk, ticket).asgi,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",  # what is no HTTP is not worth a line
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=MOST_HEAD,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=CLOSE_S,
        )
        self._server = uvicorn.Server(config)
        super().__init__(self._server.run, "ptpfast pick page", sockets=[self._socket])

    def _stop(self) -> None:
        self._board.end()
        self._server.should_exit = True

    def _close(self) -> None:
        self._socket.close()
