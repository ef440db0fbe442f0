"""Destinations of tests: a filesystem in memory with faults, and a TCP proxy that cuts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

import command_line
from conftest import PATIENT
from objects_of import content
from ptpfast import Report, pull
from ptpfast.sim import SimulatedCamera

Hook = Callable[[str, str], None]


def fetch(sim: SimulatedCamera | list[SimulatedCamera], url: str, **options: Any) -> Report:
    """A run to a URL."""
    options = {"timeouts": PATIENT} | options
    cameras = [command_line.at(each) for each in sim] if isinstance(sim, list) else None
    return pull(cameras or command_line.at(sim), url, **options)


def contents(sim: SimulatedCamera) -> list[bytes]:
    """The bytes of all files of a camera, sorted."""
    return sorted(content(sim, stored.handle) for stored in sim.store.files())


def files_in(filesystem: Any, folder: str) -> dict[str, bytes]:
    """The files in a folder and below it, by path."""
    filesystem.invalidate_cache()
    return {path: filesystem.cat_file(path) for path in filesystem.find(folder)}


def names(files: dict[str, bytes]) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in files)


class Faulty(MemoryFileSystem):
    """Like `memory://`, with a hook that may raise: hook(what is done, path)."""

    protocol = "faulty"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    hook: ClassVar[Hook] = staticmethod(lambda doing, path: None)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("faulty://"))

    def _open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        doing = "read" if mode == "rb" else "open"
        self.hook(doing, path)
        file = super()._open(path, mode, **more)
        if doing == "open":
            write = file.write

            def told(data: Any) -> int:
                self.hook("write", path)
                return write(data)

            file.write = told
        return file

    def ls(self, path: str, detail: bool = True, **more: Any) -> Any:
        self.hook("list", path)
        return super().ls(path, detail=detail, **more)

    def mv(self, path1: str, path2: str, **more: Any) -> None:
        self.hook("move", path2)
        self.cp_file(path1, path2)
        self.rm_file(path1)

    def files(self) -> dict[str, bytes]:
        return {path: file.getvalue() for path, file in self.store.items()}


@contextlib.contextmanager
def faulty() -> Iterator[type[Faulty]]:
    """`faulty://` as an empty filesystem without faults."""
    fsspec.register_implementation("faulty", Faulty, clobber=True)
    Faulty.store.clear()
    Faulty.pseudo_dirs[:] = [""]
    Faulty.hook = staticmethod(lambda doing, path: None)
    try:
        yield Faulty
    finally:
        Faulty.store.clear()
        Faulty.hook = staticmethod(lambda doing, path: None)


class Proxy:
    """A port that passes connections on, and cuts them. `close` ends all of its threads.

    server: connects a client's socket with a server; by default with another port.
    """

    def __init__(self, port: int = 0, serve: Callable[[socket.socket], None] | None = None) -> None:
        self._port = port
        self._serve = serve or self._pass_on
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        self.passed = 0  # bytes from clients
        self.cuts: list[int] = []  # after so many bytes, each once
        self.cut_count = 0
        self.on_cut: Callable[[], None] = lambda: None
        self._stops_at: int | None = None
        self.is_stopped = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=work, args=given)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._is_closed:
                    client.close()
                    return
                if self.is_stopped:
                    client.close()
                    continue
                self._open.add(client)
            self._start(self._run, client)

    def _run(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._serve(client)
        self._drop(client)

    def _drop(self, one: socket.socket) -> None:
        with self._lock:
            self._open.discard(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._port))
        with self._lock:
            self._open.add(server)
        self._start(self._pump, server, client, False)
        self._pump(client, server, True)

    def _pump(self, one: socket.socket, other: socket.socket, counts: bool) -> None:
        try:
            while data := one.recv(1 << 16):
                if counts and self._is_cut(len(data)):
                    self.on_cut()
                    break
                if self.is_stopped:
                    self.drop_all()
                    break
                other.sendall(data)
        except OSError:
            pass
        self._drop(one)
        self._drop(other)

    def _is_cut(self, size: int) -> bool:
        with self._lock:
            self.passed += size
            if self._stops_at is not None and self.passed >= self._stops_at:
                self._stops_at, self.is_stopped = None, True
            if self.cuts and self.passed >= self.cuts[0]:
                self.cuts.pop(0)
                self.cut_count += 1
                return True
        return False

    def stop_after(self, passed: int) -> None:
        """Cut all connections, and every new one, once so many bytes have passed."""
        self._stops_at = passed

    def start_again(self) -> None:
        """Pass connections on again."""
        self.is_stopped = False

    def drop_all(self) -> None:
        """Cut all connections."""
        for one in list(self._open):
            self._drop(one)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_all()
        for thread in self._threads:
            thread.join()
