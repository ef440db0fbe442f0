"""A listener: it accepts connections and serves each in a separate thread, until it is closed."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable

from ..engine.process import Owner
from .counters import Counters
from .peer import close, shut

_BACKLOG = 64


class Listener:
    """A socket that listens at `host` and `port` when constructed, and accepts from `start` on.

    `prepare` receives an accepted connection and returns the one to serve, or None after closing
    it. `serve` is called with that in its thread. The socket is closed afterwards. Without
    `accepts` it refuses connections at first, and keeps its port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        prepare: Callable[[socket.socket], socket.socket | None],
        serve: Callable[[socket.socket], None],
        counters: Counters,
        *,
        accepts: bool = True,
    ) -> None:
        self._prepare = prepare
        self._serve = serve
        self._counters = counters
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._closing = False
        self._owner = Owner("simulated camera")
        self._accepts = accepts
        self._sock = _bound(host, port)
        if accepts:
            self._sock.listen(_BACKLOG)
        address = self._sock.getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        self._wake, self._waker = socket.socketpair()
        self._name = f"camera {self.port}"
        self._accepting = threading.Thread(target=self._accept, name=self._name, daemon=True)

    def start(self) -> None:
        """Accept connections from now on."""
        self._accepting.start()

    def refuse(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        with self._lock:
            if not self._accepts or self._closing:
                return
            self._accepts = False
            self._sock.close()
            self._sock = _bound(self.host, self.port)
        self._waker.send(b"x")

    def accept(self) -> None:
        """Accept connections again."""
        with self._lock:
            if self._accepts or self._closing:
                return
            self._accepts = True
            self._sock.listen(_BACKLOG)
        self._waker.send(b"x")

    def refuse_for(self, seconds: float) -> None:
        """Refuse connections for so many seconds."""
        self.refuse()
        timer = threading.Timer(seconds, self.accept)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

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
            for timer in self._timers:
                timer.cancel()
            self._waker.send(b"x")
            self.hang_up()
            if self._accepting.ident is not None:
                self._accepting.join()
            for thread in serving:
                thread.join()
        else:
            for sock in self._serving.values():
                sock.close()
        for sock in (self._sock, self._wake, self._waker):
            sock.close()

    def _accept(self) -> None:
        while not self._closing:
            if (sock := self._next()) is not None:
                self._start(sock)

    def _next(self) -> socket.socket | None:
        """Return the next connection; None when woken, or when the Initiator has gone again."""
        with selectors.DefaultSelector() as selector:
            with self._lock:
                if self._accepts:
                    selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select()]
        if self._wake in ready and not self._closing:
            self._wake.recv(1)
        with self._lock:
            if not self._accepts:
                return None
            try:
                return self._sock.accept()[0]
            except OSError:
                return None

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


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that keeps a port, and refuses connections until it listens."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
