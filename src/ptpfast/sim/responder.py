"""The simulated camera: a Responder on real sockets, in threads of this process.

It listens when constructed and is gone when closed: no thread, no socket and no state outlives
it, and any number of them run side by side. This file puts the parts together: `listener.py`
accepts connections, a door (`ptpip_door.py`) lets Initiators in, `transactions.py` serves them, and
`body.py` is the camera behind it.
"""

from __future__ import annotations

import socket
from collections import Counter, deque
from collections.abc import Callable
from typing import Unpack

from .. import vendors
from ..engine.wire import Event, OperationRequest
from ..ptp.codes import OperationCode
from ..ptp.errors import ProtocolError
from ..vendors import Vendor
from .body import Body, identity
from .counters import Counters, Transaction
from .data_in import EndData, Framing
from .events import Events
from .link import Link
from .listener import Listener
from .operations import OPERATIONS
from .pace import Pace
from .pairing import Pairing
from .peer import Peer
from .ptpip_door import PtpIpDoor
from .relay import Relay
from .settings import CameraOptions, Settings
from .store import Store
from .temperament import Temperament
from .transactions import Transactions


class SimulatedCamera:
    """A camera on this machine, at `host` and `port`; use it in a `with`, or `close` it.

    Counters (`operations` by code, `payload_bytes`, `sessions_opened`, …) and `log` say what has
    happened; `wait_for` waits for a change of them. `faults.add` and `temperament` change how it
    misbehaves at any time, and `store` which card is in it.

    Args:
        vendor: a vendor or its name, whose model says which body this is.
        store: the objects; without one they are chosen by `folder` or `objects`.
        body: name of a real body (`vendors.BODIES`) instead of `vendor`. The camera then has its
            operations, events and properties.
        objects, size, seed: so many synthetic files of so many bytes (see `Store.synthetic`). A
            capture adds files of `size` bytes, too.
        folder: serve the real files below this folder instead.
        guid, name: those of the handshake; by default made of the model and `seed`.
        withheld: codes of operations that this body does not have.
        end_data: what End Data carries (`EndData`); by default as the body does it.
        strict_tid: whether a transaction id that does not follow is refused; by default as the
            body does it, as for the next two.
        needs_probe: whether the first operation hangs unless a Probe Request or a second's pause
            came before.
        busy_s: how many seconds the camera is busy after a picture.
        data_packet_size: payload bytes of a Data packet.
        announce_total: whether Start Data has the total, or leaves it unknown.
        bytes_per_s: limit of what the Command/Data connection sends.
        max_bytes_per_send: cut what it sends into sends of so many bytes.
        send_buffer: size of the socket's buffer in bytes; None leaves it to the kernel, as a long
            and fast link needs.
        nagle: leave Nagle's algorithm on, as many firmwares do: what is less than a segment then
            waits until all before it is acknowledged.
        writes: what the camera sends at a time (`Writes`): an answer as a whole, its packets apart,
            or these in pieces.
        host, port: address to listen at; port 0 is any free one.
        pending_s: how many seconds half a pair of connections waits for its other half.
        link: a `Link` or a name of `LINKS`, put between the camera's sockets and those of its
            Initiators. It takes the place of `delay_s`.
        delay_s, jitter_s: each operation waits so many seconds, and up to so many more.
        temperament: what becomes of requests that come before the last one is answered.
        faults: what goes wrong: `Fault`s or their text, or a `FaultTable`, which is used as it is.

    Raises:
        TypeError: for a keyword argument that is not one of these.
        ValueError: for a value that is none, or for a name that fits into no packet.
        OSError: when the address cannot be listened at.
    """

    def __init__(
        self,
        vendor: str | Vendor = "standard",
        store: Store | None = None,
        **options: Unpack[CameraOptions],
    ) -> None:
        self.settings = Settings.of(options)
        service, seed = self.settings.service, self.settings.card.seed
        if self.settings.body.body is not None:
            vendor = vendors.with_body(self.settings.body.body)
        vendor = vendors.given(vendor)
        if store is None:
            store = self.settings.card.store(vendor.model)
        self.counters = Counters()
        self.faults = service.fault_table()
        self._pairing = Pairing(self._count_end)
        events = Events(self._send_event)
        self.body = self._make_body(vendor, store, events)
        self._door = self._make_door()
        self._pace = Pace(service.chosen_link(), service.jitter_s, seed)
        self._transactions = Transactions(
            self._door,
            self.body,
            events,
            self.faults,
            self.counters,
            self._pace,
            Temperament(service.temperament),
        )
        self._listener = Listener(
            service.host, service.port, self._prepare, self._serve, self.counters
        )
        self.host, self.port = self._listener.host, self._listener.port
        self._relay = Relay(self.link, f"camera {self.port}") if self.link.shapes else None
        self._listener.start()

    def _make_body(self, vendor: Vendor, store: Store, events: Events) -> Body:
        asked, card = self.settings.body, self.settings.card
        body = Body(vendor, store, OPERATIONS, card.seed, card.size, events.emit, asked.withheld)
        body.habits = asked.changed(body.habits)
        return body

    def _make_door(self) -> PtpIpDoor:
        """ValueError for an identity that fits into no packet, before any Initiator connects."""
        asked, sending = self.settings.body, self.settings.sending
        model = self.body.vendor.model
        guid = identity(model, self.settings.card.seed)[0] if asked.guid is None else asked.guid
        door = PtpIpDoor(
            (guid, model.name if asked.name is None else asked.name),
            sending,
            Framing(
                sending.data_packet_size,
                EndData(self.body.habits.end_data),
                sending.announce_total,
            ),
            self.settings.service.pending_s,
            self._pairing,
            self.faults,
            self.counters,
        )
        self.body.perform(OperationRequest(1, OperationCode.GetDeviceInfo, 0, ()), b"")
        return door

    def __enter__(self) -> SimulatedCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SimulatedCamera {self.name} at {self.host}:{self.port}>"

    def close(self) -> None:
        """Switches the camera off: all connections end, all threads have returned. In a forked
        child, which has none of the threads, its copies of the sockets are closed."""
        if self._listener.is_ours:
            self._pairing.close()
        self._listener.close()
        if self._listener.is_ours and self._relay is not None:
            self._relay.close()

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Wait until `predicate()` is true, checked after each change; return whether it is."""
        return self.counters.wait_for(predicate, timeout)

    def capture(self) -> list[int]:
        """Presses the shutter: new files on the card, and events; their handles."""
        return self.body.capture()

    def delete(self, handle: int) -> None:
        """Delete an object with the buttons of the camera, with an event."""
        self.body.delete(handle)

    def mark(self, handle: int) -> None:
        """Mark an object for transfer with the buttons, if the body has such a list."""
        self.body.marked[handle] = None

    def push_event(self, code: int, *parameters: int) -> None:
        """Report an event the way this body does: at once, or when it is polled."""
        self.body.push_event(code, *parameters)

    def drop_connections(self, *, reset: bool = False) -> None:
        """End the pair of connections now, with FIN or with RST."""
        self._pairing.drop(reset=reset)

    @property
    def guid(self) -> bytes:
        return self._door.guid

    @property
    def name(self) -> str:
        return self._door.name

    @property
    def link(self) -> Link:
        return self._pace.link

    @property
    def store(self) -> Store:
        """The card; set another one to swap it."""
        return self.body.store

    @store.setter
    def store(self, store: Store) -> None:
        self.body.store = store

    @property
    def temperament(self) -> Temperament:
        """What becomes of early requests; may be set at any time."""
        return self._transactions.temperament

    @temperament.setter
    def temperament(self, temperament: Temperament) -> None:
        self._transactions.temperament = temperament

    # What has happened; see `Counters`.

    @property
    def operations(self) -> Counter[int]:
        return self.counters.operations

    @property
    def log(self) -> deque[Transaction]:
        return self.counters.log

    @property
    def initiators(self) -> list[tuple[bytes, str]]:
        return self.counters.initiators

    @property
    def payload_bytes(self) -> int:
        return self.counters.payload_bytes

    @property
    def connections(self) -> int:
        return self.counters.connections

    @property
    def serving(self) -> int:
        return self.counters.serving

    @property
    def sessions_opened(self) -> int:
        return self.counters.sessions_opened

    @property
    def sessions_closed(self) -> int:
        return self.counters.sessions_closed

    @property
    def defects(self) -> int:
        return self.counters.defects

    @property
    def unclean_ends(self) -> int:
        return self.counters.unclean_ends

    @property
    def protocol_errors(self) -> int:
        return self.counters.protocol_errors

    @property
    def probe_responses(self) -> int:
        return self.counters.probe_responses

    @property
    def early_requests(self) -> int:
        return self.counters.early_requests

    # What the threads ask for.

    def _prepare(self, sock: socket.socket) -> socket.socket | None:
        """Return the socket to serve for an accepted connection; behind a relay it is another one.

        None, and the connection is closed, if this process has no descriptors left.
        """
        sending = self.settings.sending
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not sending.nagle)
        if self._relay is not None:
            try:
                sock = self._relay.between(sock, merges=not sending.nagle)
            except OSError:
                sock.close()
                return None
        if sending.send_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sending.send_buffer)
        return sock

    def _serve(self, sock: socket.socket) -> None:
        try:
            self._door.admit(sock, self._transactions.serve)
        except ProtocolError:
            with self.counters.changing():
                self.counters.protocol_errors += 1
        except OSError:
            pass  # the connection is over, for whichever reason
        except BaseException:
            with self.counters.changing():
                self.counters.defects += 1
            raise  # to `threading.excepthook`, which shows it

    def _send_event(self, event: Event) -> None:
        self._door.send_event(event)

    def _count_end(self, peer: Peer) -> None:
        if peer.session_id:
            with self.counters.changing():
                self.counters.unclean_ends += 1
