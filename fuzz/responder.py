"""The hostile side: simulated cameras whose packets are changed on their way out.

A process of its own, without sanitizers, so that what is watched in the other one is all of it the
Initiator's. It is told what to do in JSON on standard input, one line each:

    {"begin": SEED, "body": INDEX, "rate": CHANGES PER PACKET}   answered by {"port": …}
    {"end": true}                                  answered by {"done": […], "risky": […]}
"""

from __future__ import annotations

import json
import random
import socket
import sys
from typing import Any

from ptpfast.engine import wire as wire
from ptpfast.ptp.codes import EventCode
from ptpfast.ptp.errors import ProtocolError
from ptpfast.sim import SimulatedCamera

from . import mutations
from .cameras import BODIES, card
from .mutations import CHANGES, PAYLOAD, READS, UNENDING, Record, kind_of

CLOSE = 0.6  # of the changes, so many are followed by the connection's end: a wait costs time
WILD = 0.05  # of the sessions, in which the bytes of objects are changed too
START, END, RESPONSE = (
    wire.PacketType.START_DATA,
    wire.PacketType.END_DATA,
    wire.PacketType.OPERATION_RESPONSE,
)


class Mutator:
    """The changes of one connection. It reads requests, to know what the packets answer."""

    def __init__(self, seed: str, rate: float, record: Record, announces_total: bool) -> None:
        self._chance = random.Random(seed)
        self._rate = rate
        self._record = record
        self._announces_total = announces_total
        self._wild = self._chance.random() < WILD
        self._requests: dict[int, Any] = {}
        self._touched: dict[int, int] = {}  # changes of each transaction's data phase
        self._held: bytes | None = None
        self._earlier: list[bytes] = []
        self._incoming = bytearray()
        self.closing = False

    def requested(self, data: bytes) -> None:
        """Takes what the Initiator sent; it is honest, so every packet is whole in the end."""
        self._incoming += data
        while len(self._incoming) >= 8:
            size = int.from_bytes(self._incoming[:4], "little")
            if len(self._incoming) < size:
                return
            packet = wire.parse(bytes(self._incoming[:size]))
            del self._incoming[:size]
            if isinstance(packet, wire.OperationRequest):
                self._requests[packet.transaction_id] = packet

    def change(self, stream: bytes) -> bytes:
        """What leaves instead of these packets."""
        packets = self._other_dataset(list(_cut(stream)))
        changed = b"".join(b"".join(self._packet(raw)) for raw in packets)
        if self._held is not None and self._chance.random() < 0.5:
            changed, self._held = changed + self._held, None
        if self._chance.random() < self._rate / 4:
            self._note("the connection ends", b"")
            self.closing = True
            # A cut through payload is honest, if nothing before it was changed.
            changed = changed[: self._chance.randint(0, len(changed))]
            self._record.risky.update(self._requests[n].parameters[0] for n in self._touched)
        return changed

    def _other_dataset(self, packets: list[bytes]) -> list[bytes]:
        """For a data phase that is no object's: sometimes another payload, framed as is right."""
        kinds = [kind_of(raw) for raw in packets]
        if START not in kinds or self._chance.random() >= 3 * self._rate:
            return packets
        number = int.from_bytes(packets[0][8:12], "little")
        request = self._requests.get(number)
        if request is None or request.code in READS or kinds[0] != START:
            return packets
        payload = b"".join(raw[12:] for raw in packets if kind_of(raw) in PAYLOAD)
        payload = mutations.dataset(self._chance, request.code, payload)
        self._note("another dataset", packets[0])
        start, end = wire.StartData(number, len(payload)), wire.EndData(number, payload)
        rest = [raw for raw in packets if kind_of(raw) not in (START, *PAYLOAD)]
        return [wire.pack(start), wire.pack(end), *rest]

    def _packet(self, raw: bytes) -> list[bytes]:
        if self._held is not None:
            held, self._held = self._held, None
            return [raw, held]
        self._earlier = [*self._earlier[-20:], raw]
        if self._chance.random() >= self._rate:
            return [raw]
        choice = self._chance.random()
        if choice < 0.06:
            self._note("it comes after the next", raw, risky=kind_of(raw) in PAYLOAD)
            self._held = raw
            return []
        if choice < 0.12:
            self._note("an earlier packet once more", raw)
            return [raw, self._chance.choice(self._earlier)]
        if choice < 0.2 and self._wild and len(raw) > 12:
            self._note("its payload changes", raw, risky=True)
            return [raw[:12] + mutations.numbers(self._chance, raw[12:])]
        change = self._chance.choice(CHANGES)
        reading = kind_of(raw) in (START, *PAYLOAD)
        close = self._chance.random() < (CLOSE / 4 if reading else CLOSE)
        self._note(change.__name__, raw, risky=reading and (close or change in UNENDING))
        if change is not mutations.split and close:
            self.closing = True  # when these packets have left; nobody shall wait for more
        return change(self._chance, raw)

    def _note(self, what: str, raw: bytes, risky: bool = False) -> None:
        """Puts down what is done, and whether an object's bytes may be wrong now (`mutations`)."""
        kind = kind_of(raw)
        number = 0
        if kind in (START, *PAYLOAD):
            number = int.from_bytes(raw[8:12], "little")
        elif kind == RESPONSE:
            number = int.from_bytes(raw[10:14], "little")
        request = self._requests.get(number)
        operation = f" of 0x{request.code:04X}{request.parameters}" if request else ""
        self._record.done.append(f"packet {kind}{operation}: {what}")
        if request is None or request.code not in READS:
            return
        self._touched[number] = self._touched.get(number, 0) + 1
        if risky or self._touched[number] > 1 or not self._announces_total:
            self._record.risky.add(request.parameters[0])


def _cut(stream: bytes) -> Any:
    """The packets of what an honest camera sends at a time."""
    while stream:
        size = int.from_bytes(stream[:4], "little")
        if not 8 <= size <= len(stream):
            raise ProtocolError("the simulated camera itself is out of step")
        yield stream[:size]
        stream = stream[size:]


class MutatingSocket(socket.socket):
    """An accepted connection whose outgoing packets are changed."""

    def __init__(self, sock: socket.socket, mutator: Mutator) -> None:
        super().__init__(fileno=sock.detach())
        self._mutator = mutator

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        if not flags & socket.MSG_PEEK:
            self._mutator.requested(data)
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._send(bytes(data))

    def sendmsg(self, buffers: Any, *_: Any) -> int:
        stream = b"".join(buffers)
        self._send(stream)
        return len(stream)

    def _send(self, stream: bytes) -> None:
        super().sendall(self._mutator.change(stream))
        if self._mutator.closing:
            self.shutdown(socket.SHUT_RDWR)


class HostileCamera(SimulatedCamera):
    """A simulated camera, every connection of which is changed as the session's seed says."""

    _seed, _rate, _accepted = "", 0.0, 0
    _record = Record()

    def _prepare(self, sock: socket.socket) -> socket.socket | None:
        self._accepted += 1
        seed = f"{self._seed} connection {self._accepted}"
        announces = self.settings.sending.announce_total
        mutator = Mutator(seed, self._rate, self._record, announces)
        return super()._prepare(MutatingSocket(sock, mutator))

    def begin(self, seed: str, rate: float) -> None:
        """Forgets the session before; the next connection is the first of this one."""
        self._hang_up()
        if not self.wait_for(lambda: not self.serving):
            raise TimeoutError("a connection of the session before does not end")
        self._seed, self._rate, self._accepted, self._record = seed, rate, 0, Record()
        if rate:  # where events are polled, there are some
            self.push_event(EventCode.ObjectAdded, self.store.files()[0].handle)

    def _hang_up(self) -> None:
        """Ends all connections, also those that wait for their other half."""
        self.drop_connections()
        self._listener.hang_up()

    def end(self) -> dict[str, Any]:
        """What was done in the session."""
        self._hang_up()
        return {"done": self._record.done, "risky": sorted(self._record.risky)}


def serve() -> None:
    """Plays what standard input asks for, until it ends."""
    cameras = [
        HostileCamera(
            body.vendor,
            card(),
            data_packet_size=body.packet_size,
            end_data=body.end_data,
            announce_total=body.announces_total,
        )
        for body in BODIES
    ]
    camera = cameras[0]
    for line in sys.stdin:
        told = json.loads(line)
        if "begin" in told:
            camera = cameras[told["body"]]
            camera.begin(told["begin"], told["rate"])
            answer: dict[str, Any] = {"port": camera.port}
        else:
            answer = camera.end()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for camera in cameras:
        camera.close()


if __name__ == "__main__":
    serve()
