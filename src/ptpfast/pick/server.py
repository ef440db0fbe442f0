"""The server of the page: uvicorn on a thread, at an address of this computer only."""

from __future__ import annotations

import secrets
import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

import uvicorn

from .app import App
from .loopback import HERE, Loopback

if TYPE_CHECKING:
    from .board import Board
    from .desk import Desk

MOST_HEAD = 16 << 10  # bytes of a request before its body
MOST_CONNECTIONS = 64
CLOSE_S = 2  # for answers under way at the end


class Server:
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
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=MOST_HEAD,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=CLOSE_S,
        )
        self._server = uvicorn.Server(config)
        sockets = {"sockets": [self._socket]}
        self._thread = threading.Thread(
            target=self._server.run, kwargs=sockets, name="ptpfast pick page"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._board.end()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
