"""The simulated camera: a Responder on real sockets, in threads of this process.

It listens when constructed and is gone when closed: no thread, no socket and no state outlives
it, and any number of them run side by side. This file accepts connections, pairs them and counts
what happens; `handshake.py` and `transactions.py` serve a connection, `body.py` is the camera
behind them.
"""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator

from .. import vendors
from ..engine.process import Owner
from ..engine.wire import Event, InitCommandAck, InitCommandRequest, OperationRequest, pack
from ..ptp.codes import PROTOCOL_VERSION, OperationCode
from ..ptp.errors import ProtocolError
from ..vendors import Vendor
from .body import Body, Parameters, changed
from .data_in import EndData, Framing
from .door import prepare
from .faults import Fault, FaultTable
from .handshake import serve_connection
from .link import LINKS, Link
from .operations import OPERATIONS
from .peer import PacketReader, Peer, Writes, close, shut
from .relay import Relay
from .store import Store, card
from .temperament import Temperament
from .transactions import Transaction

_NO_TRANSACTION = 0xFFFFFFFF  # transaction id of an event that belongs to none
_LOG_SIZE = 10_000
# What waits in the kernel should still be in the processor's cache when the other side copies it:
# over loopback this doubles the rate that the kernel's own, growing choice reaches.
SEND_BUFFER = 256 * 1024
# How long the threads of a pair that its Initiator has closed may take to see it.
_NOTICE_S = 1.0


class SimulatedCamera:
    """A camera on this machine, at `host` and `port`; use it in a `with`, or `close` it.

    `vendor` is a vendor or its name, whose model says which body this is; or `body` names a real
    body (`vendors.BODIES`), of which it has the operations, events and properties. The objects are
    those of `store`, or the real files below `folder`, or `objects` synthetic files of `size` bytes
    (see `Store.synthetic`); a capture adds files of `size` bytes, too.

    Data phases go in Data packets of `data_packet_size` payload bytes, ended as `end_data` says,
    by default as the body does it; without `announce_total` Start Data leaves the total unknown.
    Each operation waits `delay_s` and up to `jitter_s` more; `bytes_per_s` limits what the
    Command/Data connection sends, and `max_bytes_per_send` cuts it into small sends. `link` is a
    name of `LINKS` or a `Link`, which takes the place of delay and rate and is put between the
    camera's sockets and everybody else's. `send_buffer` is the socket's, in bytes; None leaves it
    to the kernel, as a long and fast link needs.

    `nagle` leaves Nagle's algorithm on, as many firmwares do: what is less than a segment then
    waits until all before it is acknowledged. `writes` is what the camera sends at a time: an
    answer as a whole, its packets apart, or these in pieces.

    `faults` is what goes wrong, `Fault`s or their text; `.faults.add` takes more at any time. How
    strict and how slow it is are the body's `Habits`, unless given: with `strict_tid` a transaction
    id that does not follow is refused; with `needs_probe` the first operation hangs unless a Probe
    Request or a second's pause came before; for `busy_s` it is busy after a picture. `temperament`
    is what becomes of requests that come before the last one is answered. `withheld`
    are operations this body does not have. `pending_s` is how long half a pair of connections may
    wait for its other half.

    Counters (`operations` by code, `payload_bytes`, `sessions_opened`, …) and `log` say what has
    happened; `wait_for` waits until they say something.
    """

    def __init__(
        self,
        vendor: str | Vendor = "standard",
        store: Store | None = None,
        *,
        body: str | None = None,
        objects: int = 20,
        size: int = 25_000_000,
        folder: str | os.PathLike[str] | None = None,
        seed: int | str = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        data_packet_size: int = 65536,
        end_data: EndData | str | None = None,
        announce_total: bool = True,
        link: Link | str | None = None,
        delay_s: float = 0.0,
        jitter_s: float = 0.0,
        bytes_per_s: float | None = None,
        max_bytes_per_send: int | None = None,
        send_buffer: int | None = SEND_BUFFER,
        nagle: bool = False,
        writes: Writes | str = Writes.WHOLE,
        faults: Iterable[Fault | str] | Fault | str = (),
        strict_tid: bool | None = None,
        needs_probe: bool | None = None,
        busy_s: float | None = None,
        temperament: Temperament | str = Temperament.QUEUE,
        withheld: Iterable[int] | int = (),
        pending_s: float = 5.0,
        guid: bytes | None = None,
        name: str | None = None,
    ) -> None:
        if body is not None:
            vendor = vendors.with_body(body)
        vendor = vendors.given(vendor)
        model = vendor.model
        if store is None:
            store = card(folder, objects, size, seed, model)
        self.body = Body(vendor, store, OPERATIONS, seed, size, self._emit, withheld)
        self.body.habits = changed(model.habits, end_data, strict_tid, needs_probe, busy_s)
        self.guid = self.body.guid if guid is None else guid
        self.name = model.name if name is None else name
        self._require_sayable()
        self.framing = Framing(data_packet_size, EndData(self.body.habits.end_data), announce_total)
        self.link = LINKS[link] if isinstance(link, str) else link or Link(operation=delay_s)
        self._jitter_s = jitter_s
        self._bytes_per_s = bytes_per_s
        self.faults = FaultTable(faults)
        self.temperament = Temperament(temperament)
        self.pending_s = pending_s
        self._max_bytes_per_send = max_bytes_per_send
        self._send_buffer = send_buffer
        self.nagle = nagle
        self.writes = Writes(writes)
        self._random = random.Random(str(seed))
        self._clear_counters()
        self._listen(host, port)

    @property
    def store(self) -> Store:
        """The card; set another one to swap it."""
        return self.body.store

    @store.setter
    def store(self, store: Store) -> None:
        self.body.store = store

    def _require_sayable(self) -> None:
        """ValueError for an identity that fits into no packet, before anybody connects."""
        pack(InitCommandAck(0, self.guid, self.name, PROTOCOL_VERSION))
        self.body.perform(OperationRequest(1, OperationCode.GetDeviceInfo, 0, ()), b"")

    def _clear_counters(self) -> None:
        self.operations: Counter[int] = Counter()  # requests by operation code
        self.log: deque[Transaction] = deque(maxlen=_LOG_SIZE)
        self.initiators: list[tuple[bytes, str]] = []  # GUID and name of each that was let in
        self.payload_bytes = 0  # sent in data-in phases
        self.connections = 0  # pairs of connections begun
        self.sessions_opened = 0
        self.sessions_closed = 0  # by CloseSession
        self.defects = 0  # of the simulated camera itself; each is shown with its traceback
        self.unclean_ends = 0  # pairs that ended with a session open
        self.protocol_errors = 0  # packets no Initiator may send
        self.probe_responses = 0
        self.early_requests = 0  # seen before the last was answered; a QUEUE does not look

    def _listen(self, host: str, port: int) -> None:
        # One lock for everything below; it is never held while a socket is waited for.
        self._changed = threading.Condition()
        self._peer: Peer | None = None
        self._numbers = 0
        self._held: tuple[int, int, list[Event]] | None = None
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._closing = False
        self._owner = Owner("simulated camera")
        self._listener = socket.create_server((host, port), backlog=64)
        self._listener.setblocking(False)
        address = self._listener.getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        named = f"camera {self.port}"
        self._relay = Relay(self.link, named) if self.link.shapes else None
        self._wake, self._waker = socket.socketpair()
        self._accepting = threading.Thread(target=self._accept, name=named, daemon=True)
        self._accepting.start()

    def __enter__(self) -> SimulatedCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SimulatedCamera {self.name} at {self.host}:{self.port}>"

    def close(self) -> None:
        """Switches the camera off: all connections end, all threads have returned. In a forked
        child, which has none of the threads, its copies of the sockets are closed."""
        if not self._owner.is_us:
            for sock in (self._listener, self._wake, self._waker, *self._serving.values()):
                sock.close()
            return
        with self._changed:
            if self._closing:
                return
            self._closing = True
            serving = dict(self._serving)
            if self._peer is not None:
                self._peer.leave()
            self._changed.notify_all()
        self._waker.send(b"x")
        for sock in serving.values():
            shut(sock)
        self._accepting.join()
        for thread in serving:
            thread.join()
        if self._relay is not None:
            self._relay.close()
        for sock in (self._listener, self._wake, self._waker):
            sock.close()

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Waits until `predicate()`, looked at after each change, is true; whether it is."""
        with self._changed:
            return self._changed.wait_for(predicate, timeout)

    def capture(self) -> list[int]:
        """Presses the shutter: new files on the card, and events; their handles."""
        return self.body.capture()

    def delete(self, handle: int) -> None:
        """Deletes an object with the camera's buttons, with an event."""
        self.body.delete(handle)

    def mark(self, handle: int) -> None:
        """Marks an object for transfer with the camera's buttons, where a body has such a list."""
        self.body.marked[handle] = None

    def push_event(self, code: int, *parameters: int) -> None:
        """Reports an event the way this body does: at once, or when it is polled."""
        self.body.push_event(code, *parameters)

    def drop_connections(self, *, reset: bool = False) -> None:
        """Ends the pair of connections now, with FIN or with RST."""
        with self._changed:
            peer = self._peer
        if peer is not None:
            peer.leave(reset=reset)

    # What the threads of a connection ask for.

    def admit(
        self,
        sock: socket.socket,
        reader: PacketReader,
        request: InitCommandRequest,
        number: int | None,
    ) -> Peer | None:
        """A new Initiator, waiting for its Event connection; None while there is another one."""
        with self._changed:
            old = self._peer
            if old is not None and (old.gone.is_set() or old.has_left()):
                if old.event is not None:
                    # Its threads are about to see that: a quick return must not look busy.
                    self._changed.wait_for(lambda: self._peer is not old, _NOTICE_S)
                self.part(old)
            if self._peer is not None or self._closing:
                return None
            self._numbers += 1
            self.connections += 1
            self.initiators.append((request.guid, request.name))
            self._peer = Peer(
                self._numbers if number is None else number,
                sock,
                reader,
                bytes_per_s=self._bytes_per_s,
                fragment=self._max_bytes_per_send,
                writes=self.writes,
            )
            self._changed.notify_all()
            return self._peer

    def pending_peer(self, number: int) -> Peer | None:
        """The pair that waits for an Event connection of this number."""
        with self._changed:
            peer = self._peer
            waits = peer is not None and peer.event is None and peer.number == number
            return peer if waits else None

    def attach_event(self, peer: Peer, sock: socket.socket) -> None:
        peer.attach_event(sock)
        with self._changed:
            self._changed.notify_all()

    def wait_for_event_connection(self, peer: Peer) -> bool:
        """Whether it came in time."""
        self.wait_for(lambda: peer.event is not None or peer.gone.is_set(), self.pending_s)
        return peer.event is not None

    def part(self, peer: Peer) -> None:
        """The pair is over: its other connection ends too, and another Initiator may come."""
        peer.leave()
        with self._changed:
            if self._peer is peer:
                self._peer = None
                self.unclean_ends += bool(peer.session_id) and not self._closing
                self._changed.notify_all()

    def pause(self) -> float:
        """How long the operation at hand is delayed."""
        return self.link.operation + self._random.random() * self._jitter_s

    def begin_operation(self, code: int) -> None:
        with self._changed:
            self.operations[code] += 1
            self._changed.notify_all()

    def end_operation(self, transaction: Transaction) -> None:
        with self._changed:
            self.log.append(transaction)
            self.payload_bytes += transaction.payload
            self._changed.notify_all()

    def count(self, counter: str) -> None:
        """Adds one to one of the counters."""
        with self._changed:
            setattr(self, counter, getattr(self, counter) + 1)
            self._changed.notify_all()

    @contextlib.contextmanager
    def events_held(self, transaction_id: int) -> Iterator[None]:
        """Events this thread raises meanwhile are the transaction's, and follow its response."""
        events: list[Event] = []
        self._held = (threading.get_ident(), transaction_id, events)
        try:
            yield
        finally:
            self._held = None
            for event in events:
                self._send_event(event)

    def _emit(self, code: int, parameters: Parameters) -> None:
        held = self._held
        if held is not None and held[0] == threading.get_ident():
            _, transaction_id, events = held
            events.append(Event(code, transaction_id, parameters))
        else:
            self._send_event(Event(code, _NO_TRANSACTION, parameters))

    def _send_event(self, event: Event) -> None:
        with self._changed:
            peer = self._peer
        if peer is not None:
            peer.send_event(event)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._closing:
                selector.select()
                try:
                    sock, _ = self._listener.accept()
                except OSError:
                    continue  # woken to close, or the Initiator has gone again
                self._start(sock)

    def _start(self, accepted: socket.socket) -> None:
        sock = prepare(accepted, self._relay, nagle=self.nagle, send_buffer=self._send_buffer)
        if sock is None:
            return
        name = f"camera {self.port} connection"
        thread = threading.Thread(target=self._serve, args=(sock,), name=name, daemon=True)
        with self._changed:
            if self._closing:
                sock.close()
                return
            try:
                thread.start()
            except RuntimeError:  # no more threads: the next connection may get one
                sock.close()
                return
            self._serving[thread] = sock

    def _serve(self, sock: socket.socket) -> None:
        try:
            serve_connection(self, sock)
        except ProtocolError:
            self.count("protocol_errors")
        except OSError:
            pass  # the connection is over, for whichever reason
        except BaseException:
            self.count("defects")
            raise  # to `threading.excepthook`, which shows it
        finally:
            close(sock)
            with self._changed:
                del self._serving[threading.current_thread()]
                self._changed.notify_all()
