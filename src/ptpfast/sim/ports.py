"""The ports of a simulated camera: for clients, and those that some bodies have besides.

A body of containers has two more ports behind the first: for events and for live view frames, which
are open while it says so. A body with a gate has a port for HTTP, and opens its own when the gate
says so.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from functools import partial

from .body import Body
from .container_door import ContainerDoor
from .counters import Counters
from .http_gate import HttpGate
from .listener import Listener
from .ptpip_door import PtpIpDoor

TRIES = 50  # for three free ports in a row
LAST_PORT = 0xFFFF

Admit = Callable[[socket.socket], None]
Serve = Callable[[Admit, socket.socket], None]


class Ports:
    """All ports of a camera.

    Args:
        host, port: where to listen; port 0 is any free one.
        door: admits clients.
        body: the camera behind it.
        admit: admits a connection of the first port.
        serve: called with the function that admits a connection, and the connection.
        prepare: as of `Listener`.
        counters: of the camera.

    Raises:
        OSError: a port is in use.

    Attributes:
        first: The listener for clients.
    """

    def __init__(
        self,
        address: tuple[str, int],
        door: PtpIpDoor,
        body: Body,
        admit: Admit,
        serve: Serve,
        prepare: Callable[[socket.socket], socket.socket | None],
        counters: Counters,
    ) -> None:
        self._host, self._body = address[0], body
        self._serve, self._prepare, self._counters = serve, prepare, counters
        model = body.vendor.model
        self._side: list[Listener] = []
        for left in reversed(range(1 if address[1] else TRIES)):
            self.first: Listener = self._listener(address[1], admit, accepts=model.gate is None)
            if not isinstance(door, ContainerDoor) or self._listens_behind(door, is_last=not left):
                break
        self._gate: HttpGate | None = None
        if model.gate is not None:
            at_gate = partial(model.gate, body)
            self._gate = HttpGate(self._host, at_gate, self.first.accept, counters)

    @property
    def gate_port(self) -> int | None:
        """The port of the gate, of a body that has one."""
        return None if self._gate is None else self._gate.port

    def start(self) -> None:
        """Serve from now on."""
        for listener in (self.first, *self._side):
            listener.start()

    def close(self) -> None:
        """End all connections and threads."""
        for listener in (self.first, *self._side):
            listener.close()
        if self._gate is not None:
            self._gate.close()

    def _listener(self, port: int, admit: Admit, *, accepts: bool) -> Listener:
        serve = partial(self._serve, admit)
        return Listener(self._host, port, self._prepare, serve, self._counters, accepts=accepts)

    def _listens_behind(self, door: ContainerDoor, *, is_last: bool) -> bool:
        """Keep the next two ports. Return False if one is in use, OSError if that was the last try;
        the first port is free again then."""
        try:
            for admit in (door.admit_events, door.admit_live_view):
                port = self.first.port + len(self._side) + 1
                if port > LAST_PORT:
                    raise OSError(errno.EADDRINUSE, "there are no two ports behind it")
                self._side.append(self._listener(port, admit, accepts=False))
        except OSError:
            for listener in (self.first, *self._side):
                listener.close()
            self._side.clear()
            if is_last:
                raise
            return False
        self._body.ports, self._body.off = self._open, self.first.refuse
        return True

    def _open(self, opened: bool) -> None:
        for listener in self._side:
            if opened:
                listener.accept()
            else:
                listener.refuse()
