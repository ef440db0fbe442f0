"""The simulated camera: a Responder on real sockets, in threads of this process.

It listens when constructed. `close` ends all threads and sockets, and no state is left. Any number
of cameras run side by side. This file puts the parts together: `listener.py` accepts connections, a
door (`ptpip_door.py`) handles the transport, `transactions.py` serves requests, and `body.py` is
the camera behind it.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Unpack

from .. import vendors
from ..engine.wire import Event, OperationRequest
from ..ptp.codes import OperationCode
from ..ptp.errors import ProtocolError
from ..transport.contract import Address
from ..vendors import Vendor
from .announcer import Announcer
from .approvals import Approvals
from .body import Body, identity
from .container_door import ContainerDoor
from .counters import Counters, Transaction
from .data_in import EndData, Framing
from .events import Events
from .faults import FaultTable
from .link import Link
from .operations import OPERATIONS
from .pace import Pace
from .pairing import Pairing
from .peer import Peer
from .ports import Ports
from .ptpip_door import PtpIpDoor
from .relay import Relay
from .settings import CameraOptions, Settings
from .store import Store
from .temperament import Temperament
from .transactions import Transactions


class SimulatedCamera:
    """A camera on this machine, at `address`; use it in a `with`, or `close` it.

    Counters (`operations` by code, `payload_bytes`, `sessions_opened`, …) and `log` record its
    work; `wait_for` waits for a change. You may change `faults`, `temperament` and `store` (the
    card) at any time.

    Args:
        vendor: A vendor or its name; its model is the body.
        store: The objects; without one, `folder` or `objects` chooses them.
        body: Name of a real body (`vendors.BODIES`) instead of `vendor`. The camera then has its
            operations, events and properties.
        objects, size, seed: Number and bytes of synthetic files, and the seed of their content (see
            `Store.synthetic`). A captured picture has `size` bytes, too.
        folder: Serve the real files below this folder instead.
        guid, name: Identity in the handshake; by default made of the model and `seed`.
        withheld: Codes of operations that this body does not have.
        end_data: Payload of End Data (`EndData`); by default as the body does it.
        strict_tid: Refuse a transaction id that does not follow; by default as the body does it, as
            for the next five.
        needs_probe: Hang at the first operation without a Probe Request or a pause of a second.
        busy_s: Seconds for which the camera is busy after a picture.
        hold_s, pause_s, locked_s: Seconds that a session must last to keep a new approval, and for
            which connections are refused after a session, and after one that was not closed.
        approval: What the owner thinks of new computers (`unknown`, `approved`, `rejected`), for
            bodies that ask; see `approvals`.
        approve_after_s: Seconds after which the owner approves a computer that asks; None: never.
        data_packet_size: Payload bytes of a Data packet.
        announce_total: Put the total into Start Data, or leave it unknown.
        bytes_per_s: Limit of the rate of the Command/Data connection.
        max_bytes_per_send: Cut sends into pieces of so many bytes.
        send_buffer: Size of the socket's buffer in bytes; None leaves it to the kernel, as a long
            and fast link needs.
        nagle: Leave Nagle's algorithm on, as many firmwares do. Then the end of an answer waits
            until the part before it is acknowledged.
        writes: Bytes of one send (`Writes`): a whole answer, one packet, or a piece of one.
        host, port: Address to listen at; port 0 is any free one.
        pending_s: Seconds for which half a pair of connections waits for its other half.
        link: A `Link` or a name of `LINKS`, simulated between camera and clients. It replaces
            `delay_s`.
        delay_s, jitter_s: Delay of each operation in seconds, and a random addition of up to so
            many.
        temperament: The reaction to pipelined requests.
        faults: A list of `Fault`s or their text, or a `FaultTable`.
        announce: Tell the network of `host` about the camera, as far as it is known how the body
            does that: by mDNS, by SSDP or by broadcast. `announced` says what it announces.

    Raises:
        TypeError: a keyword argument is unknown.
        ValueError: a value is wrong, or a name is too long for its packet.
        OSError: the address cannot be listened at.
        ModuleNotFoundError: `announce` needs mDNS, and its library is not installed.
    """

    _serving: Callable[..., Transactions] = Transactions

    def __init__(
        self,
        vendor: str | Vendor = "standard",
        store: Store | None = None,
        **options: Unpack[CameraOptions],
    ) -> None:
        self.settings: Settings = Settings.of(options)
        service, seed = self.settings.service, self.settings.card.seed
        if self.settings.body.body is not None:
            vendor = vendors.with_body(self.settings.body.body)
        vendor = vendors.given(vendor)
        if store is None:
            store = self.settings.card.store(vendor.model)
        self.counters: Counters = Counters()
        self.faults: FaultTable = service.fault_table()
        self._pairing = Pairing(self._count_end)
        events = Events(self._send_event)
        self.body: Body = self._make_body(vendor, store, events)
        self._door = self._make_door()
        self._pace = Pace(service.chosen_link(), service.jitter_s, seed)
        self._transactions = self._serving(
            self._door,
            self.body,
            events,
            self.faults,
            self.counters,
            self._pace,
            Temperament(service.temperament),
        )
        self._ports = Ports(
            (service.host, service.port),
            self._door,
            self.body,
            self._admit,
            self._serve,
            self._prepare,
            self.counters,
        )
        self._listener = self._ports.first
        self.host: str = self._listener.host
        self.port: int = self._listener.port
        self._door.deafen = self._listener.refuse_for
        self._relay = Relay(self.link, f"camera {self.port}") if self.link.shapes else None
        self._ports.start()
        self._announcer: Announcer | None = None
        if service.announce:
            self._announce()

    def _announce(self) -> None:
        try:
            self._announcer = Announcer(
                (self.host, self.port), self.body, (self.guid, self.name), self.counters
            )
        except BaseException:
            self.close()
            raise

    def _make_body(self, vendor: Vendor, store: Store, events: Events) -> Body:
        asked, card = self.settings.body, self.settings.card
        body = Body(
            vendor,
            store,
            OPERATIONS,
            card.seed,
            card.size,
            events.emit,
            asked.withheld,
            Approvals(asked.approval, asked.approve_after_s),
        )
        body.habits = asked.changed(body.habits)
        return body

    def _make_door(self) -> PtpIpDoor:
        """Return the door. Raises ValueError if the identity does not fit into a packet."""
        asked, sending = self.settings.body, self.settings.sending
        model = self.body.vendor.model
        guid = identity(model, self.settings.card.seed)[0] if asked.guid is None else asked.guid
        make: Callable[..., PtpIpDoor] = PtpIpDoor
        if model.containers is not None:
            make = partial(ContainerDoor, model.containers)
        door = make(
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
            self.body,
        )
        self.body.perform(OperationRequest(1, OperationCode.GetDeviceInfo, 0, ()), b"")
        return door

    def __enter__(self) -> SimulatedCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SimulatedCamera {self.name} at {self.address}>"

    def close(self) -> None:
        """Switch the camera off; return when all connections and threads have ended.

        In a forked child, which has none of the threads, close its copies of the sockets.
        """
        if self._announcer is not None:
            self._announcer.close()
        if self._listener.is_ours:
            self._pairing.close()
        self._ports.close()
        if self._listener.is_ours and self._relay is not None:
            self._relay.close()

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Wait until `predicate()` is true, checked after each change; return whether it is."""
        return self.counters.wait_for(predicate, timeout)

    def capture(self) -> list[int]:
        """Press the shutter, with its events; return the handles of the new files."""
        return self.body.capture()

    def delete(self, handle: int) -> None:
        """Delete an object with the buttons of the camera, with an event."""
        self.body.delete(handle)

    def mark(self, handle: int) -> None:
        """Mark an object for transfer with the buttons, if the body has such a list."""
        self.body.marked[handle] = None

    def rate(self, handle: int, stars: int) -> None:
        """Rate an object with the buttons, if the body tells ratings."""
        self.body.ratings[handle] = stars

    def push_event(self, code: int, *parameters: int) -> None:
        """Report an event the way this body does: at once, or when it is polled."""
        self.body.push_event(code, *parameters)

    def drop_connections(self, *, reset: bool = False) -> None:
        """End the pair of connections now, with FIN or with RST."""
        self._pairing.drop(reset=reset)

    @property
    def address(self) -> str:
        """`HOST:PORT`, as `ptpfast.connect` and `ptpfast.pull` take it."""
        return str(Address(self.host, self.port))

    @property
    def gate_port(self) -> int | None:
        """The port of the HTTP gate, of a body that has one."""
        return self._ports.gate_port

    @property
    def announced(self) -> list[str]:
        """What the camera announces, in words: nothing if it was not asked to, or if its body is
        not known to announce itself."""
        return [] if self._announcer is None else list(self._announcer.said)

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
    def approvals(self) -> Approvals:
        """The owner's decisions about computers; approve or reject them at any time."""
        return self.body.approval

    @property
    def temperament(self) -> Temperament:
        """The reaction to pipelined requests; may be set at any time."""
        return self._transactions.temperament

    @temperament.setter
    def temperament(self, temperament: Temperament) -> None:
        self._transactions.temperament = temperament

    # The counters; see `Counters`.

    @property
    def operations(self) -> Counter[int]:
        return self.counters.operations

    @property
    def log(self) -> tuple[Transaction, ...]:
        return self.counters.log

    def clear_log(self) -> None:
        """Forget the transactions so far."""
        self.counters.clear_log()

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

    # Called by the threads.

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

    def _admit(self, sock: socket.socket) -> None:
        self._door.admit(sock, self._transactions.serve)

    def _serve(self, admit: Callable[[socket.socket], None], sock: socket.socket) -> None:
        try:
            admit(sock)
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
            self.body.end_session(orderly=False)
            with self.counters.changing():
                self.counters.unclean_ends += 1
