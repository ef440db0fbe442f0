"""A listener: it accepts connections and serves each in a separate thread, until it is closed."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable

from ..engine.process import Owner
from .counters import Counters
from .peer import close, shut


class Listener:
    """A socket that listens at `host` and `port` when constructed, and accepts from `start` on.

    `prepare` receives an accepted connection and returns the one to serve, or None after closing
    it. `serve` is called with that in its thread. The socket is closed afterwards.
    """

    def __init__(
        self,
        host: str,
        port: int,
        prepare: Callable[[socket.socket], socket.socket | None],
        serve: Callable[[socket.socket], None],
        counters: Counters,
    ) -> None:
        self._prepare = prepare
        self._serve = serve
        self._counters = counters
        self._lock = threading.Lock()
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._closing = False
        self._owner = Owner("simulated camera")
        self._sock = socket.create_server((host, port), backlog=64)
        self._sock.setblocking(False)
        address = self._sock.getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        self._wake, self._waker = socket.socketpair()
        self._name = f"camera {self.port}"
        self._accepting = threading.Thread(target=self._accept, name=self._name, daemon=True)

    def start(self) -> None:
        """Accept connections from now on."""
        self._accepting.start()

    @property
    def is_ours(self) -> bool:
        """True in the process that made it, which has its threads; False in a forked child."""
        return self._owner.is_us

    def hang_up(self) -> None:
        """End all connections; their threads see it and return."""
        with self._lock:
            serving = list(self._serving.values())
        for sock in serving:
            shut(sock)

    def close(self) -> None:
        """End all connections; return when all threads have ended.

        In a forked child, close its copies of the sockets.
        """
        if self.is_ours:
            with self._lock:
                if self._closing:
                    return
                self._closing = True
                serving = list(self._serving)
            self._waker.send(b"x")
            self.hang_up()
            self._accepting.join()
            for thread in serving:
                thread.join()
        else:
            for sock in self._serving.values():
                sock.close()
        for sock in (self._sock, self._wake, self._waker):
            sock.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._closing:
                selector.select()
                try:
                    sock, _ = self._sock.accept()
                except OSError:
                    continue  # woken to close, or the Initiator has gone again
                self._start(sock)

    def _start(self, accepted: socket.socket) -> None:
        sock = self._prepare(accepted)
        if sock is None:
            return
        name = f"{self._name} connection"
        thread = threading.Thread(target=self._run, args=(sock,), name=name, daemon=True)
        with self._lock:
            if self._closing:
                sock.close()
                return
            try:
                thread.start()
            except RuntimeError:  # no more threads: the next connection may get one
                sock.close()
                return
            self._serving[thread] = sock
            with self._counters.changing():
                self._counters.serving += 1

    def _run(self, sock: socket.socket) -> None:
        try:
            self._serve(sock)
        finally:
            close(sock)
            with self._lock:
                del self._serving[threading.current_thread()]
            with self._counters.changing():
                self._counters.serving -= 1
