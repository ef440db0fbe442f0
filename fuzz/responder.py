"""The hostile side: simulated cameras whose packets are changed on their way out.

A process of its own, without sanitizers, so that what is watched in the other one is all of it the
Initiator's. It is told what to do in JSON on standard input, one line each:

    {"begin": SEED, "plan": {…}}    answered by {"port": …, "gate": …}
    {"end": true}                   answered by the fields of `visit.Told`

Each session has a new camera, so that its number determines everything.
"""

from __future__ import annotations

import json
import random
import socket
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ptpfast import vendors
from ptpfast.ptp.errors import ProtocolError
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.fujifilm.codes import CameraState
from ptpfast.vendors.fujifilm.conduct import offer
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection
from ptpfast.vendors.sony.codes import SonyOperation

from . import mutations
from .cameras import MENUS, SHOT, Plan, card
from .forms import CONTAINERS, FRAMES, HEAD, PACKETS, Form, Request, kind_of
from .hurry import hurry
from .mutations import CHANGES, READS, Record
from .surprises import surprise

CLOSE = 0.6  # of the changes, so many are followed by the connection's end: a wait costs time
WILD = 0.05  # of the sessions, in which the bytes of objects are changed too
SURPRISES = 0.2  # of the changes, so many more requests come just after a button was pressed


class Mutator:
    """The changes of one connection. It reads requests, to know what the packets answer."""

    def __init__(
        self, seed: str, plan: Plan, form: Form, record: Record, surprise: Callable[[Any], str]
    ) -> None:
        self._chance = random.Random(seed)
        self._plan = plan
        self._form = form
        self._record = record
        self._surprise = surprise
        self._wild = self._chance.random() < WILD
        self._requests: dict[int, Request] = {}
        self._touched: Counter[int] = Counter()  # changes of each transaction's data phase
        self._held: bytes | None = None
        self._earlier: list[bytes] = []
        self._incoming = b""
        self._outgoing = b""
        self.closing = False

    def requested(self, data: bytes) -> None:
        """Takes what the Initiator sent; it is honest, so every packet is whole in the end."""
        packets, self._incoming = _cut(self._incoming + data)
        for raw in packets:
            request = self._form.request(raw)
            if request is None:
                continue
            self._requests[request.transaction_id] = request
            self._record.requests += 1
            if self._chance.random() < self._rate * SURPRISES:
                self._record.done.append(self._surprise(self._chance))

    @property
    def _rate(self) -> float:
        return self._plan.rate if self._record.requests >= self._plan.spared else 0.0

    def change(self, stream: bytes) -> bytes:
        """What leaves instead of these packets. One that is not whole yet waits for its end."""
        packets, self._outgoing = _cut(self._outgoing + stream)
        packets = self._other_dataset(packets)
        changed = b"".join(b"".join(self._packet(raw)) for raw in packets)
        if self._held is not None and self._chance.random() < 0.5:
            changed, self._held = changed + self._held, None
        if packets and self._chance.random() < self._rate / 4:
            self._note("the connection ends", b"")
            self.closing = True
            # A cut through payload is honest, if nothing before it was changed.
            changed = changed[: self._chance.randint(0, len(changed))]
            for number in self._touched:
                self._record.risky.update(self._requests[number].parameters[:1])
        return changed

    def _other_dataset(self, packets: list[bytes]) -> list[bytes]:
        """For a data phase that is no object's: sometimes another payload, framed as is right."""
        form = self._form
        if not packets or not form.starts(packets[0]) or self._chance.random() >= 3 * self._rate:
            return packets
        request = self._requests.get(int.from_bytes(packets[0][8:12], "little"))
        if request is None or request.code in READS:
            return packets
        payload = b"".join(raw[HEAD:] for raw in packets if form.has_payload(raw))
        payload = mutations.dataset(self._chance, request.code, payload)
        self._note("another dataset", packets[0])
        rest = [raw for raw in packets if not form.starts(raw) and not form.has_payload(raw)]
        return [*form.data_phase(request, payload), *rest]

    def _packet(self, raw: bytes) -> list[bytes]:
        form = self._form
        if self._held is not None:
            held, self._held = self._held, None
            return [raw, held]
        self._earlier = [*self._earlier[-20:], raw]
        if self._chance.random() >= self._rate:
            return [raw]
        choice = self._chance.random()
        if choice < 0.06:
            self._note("it comes after the next", raw, risky=form.has_payload(raw))
            self._held = raw
            return []
        if choice < 0.12:
            self._note("an earlier packet once more", raw)
            return [raw, self._chance.choice(self._earlier)]
        if choice < 0.2 and self._wild and len(raw) > HEAD:
            self._note("its payload changes", raw, risky=True)
            return [raw[:HEAD] + mutations.numbers(self._chance, raw[HEAD:])]
        change = self._chance.choice(CHANGES)
        reading = form.starts(raw) or form.has_payload(raw)
        close = self._chance.random() < (CLOSE / 4 if reading else CLOSE)
        risky = reading and (close or mutations.may_not_end(change, raw, form))
        self._note(change.__name__, raw, risky=risky)
        if change is not mutations.split and close:
            self.closing = True  # when these packets have left; nobody shall wait for more
        return change(self._chance, raw, form)

    def _note(self, what: str, raw: bytes, risky: bool = False) -> None:
        """Puts down what is done, and whether an object's bytes may be wrong now (`mutations`)."""
        form, number = self._form, 0
        if form.starts(raw) or form.has_payload(raw):
            number = int.from_bytes(raw[8:12], "little")
        elif form.responds(raw):
            at = form.id_at(raw)
            number = int.from_bytes(raw[at : at + 4], "little")
        request = self._requests.get(number)
        operation = f" of 0x{request.code:04X}{request.parameters}" if request else ""
        self._record.done.append(f"packet {kind_of(form, raw)}{operation}: {what}")
        if request is None:
            return
        self._record.vague |= request.code == SonyOperation.GetContentInfoList
        if request.code not in READS:
            return
        self._touched[number] += 1
        if risky or self._touched[number] > 1 or not self._plan.announces_total:
            self._record.risky.update(request.parameters[:1])


def _cut(stream: bytes) -> tuple[list[bytes], bytes]:
    """The packets of what an honest side sends, and what has come of the next."""
    packets = []
    while len(stream) >= 4:
        size = int.from_bytes(stream[:4], "little")
        if size < 8:
            raise ProtocolError("the simulated camera itself is out of step")
        if len(stream) < size:
            break
        packets.append(stream[:size])
        stream = stream[size:]
    return packets, stream


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
    """A simulated camera, every connection of which is changed as the session's seed says.

    An HTTP gate is honest.
    """

    def __init__(self, seed: str, plan: Plan) -> None:
        self._seed, self._plan = seed, plan
        self._accepted: Counter[int] = Counter()  # connections by port, counted from the first
        self._record = Record()
        self._taken: list[tuple[int, int, str]] = []
        super().__init__(_model(plan), card(plan.body), size=SHOT, **plan.options)
        self._note_pictures()
        if plan.menu in ("selection", "auto save"):
            chosen = plan.menu == "selection"
            offer(self.body, CameraState.MULTIPLE_TRANSFER if chosen else CameraState.AUTO_SAVE)
        for stored in self.store.files():
            if plan.menu == "transfer" or random.Random(f"{seed} {stored.handle}").random() < 0.3:
                self.mark(stored.handle)

    def _note_pictures(self) -> None:
        """Have every picture that is taken noted: its bytes are compared, too."""
        take = self.body.capture

        def capture(*given: Any, **named: Any) -> list[int]:
            handles = take(*given, **named)
            for handle in handles:
                stored = self.store.get(handle)
                if stored is not None:
                    self._taken.append((handle, stored.size, self.store.path(handle)))
            return handles

        vars(self.body)["capture"] = capture

    def _prepare(self, sock: socket.socket) -> socket.socket | None:
        port = sock.getsockname()[1] - self.port
        self._accepted[port] += 1
        form: Form = PACKETS
        if self.body.vendor.model.containers is not None:
            form = FRAMES if port == 2 else CONTAINERS
        seed = f"{self._seed} port {port} connection {self._accepted[port]}"
        mutator = Mutator(seed, self._plan, form, self._record, lambda dice: surprise(self, dice))
        return super()._prepare(MutatingSocket(sock, mutator))

    def end(self) -> dict[str, Any]:
        """Switch it off, and tell what was done in the session."""
        self.close()
        record = self._record
        return {
            "done": record.done,
            "risky": sorted(record.risky),
            "vague": record.vague,
            "taken": self._taken,
            "defects": self.defects,
        }


def _model(plan: Plan) -> vendors.Vendor:
    """The body as its vendor has it, without pauses, and in the menu that the plan says."""
    if plan.body == "standard":
        return vendors.STANDARD
    vendor = vendors.with_body(plan.body)
    if plan.body in MENUS["transfer"]:
        rules = PcConnection(hold_s=0, pause_s=0, transfers=plan.menu == "transfer")
        vendor = replace(vendor, body=with_pc_connection(vendor.model, rules))
    return vendor


def serve() -> None:
    """Plays what standard input asks for, until it ends."""
    hurry()
    camera: HostileCamera | None = None
    for line in sys.stdin:
        told, answer = json.loads(line), {}
        if "begin" in told:
            camera = HostileCamera(told["begin"], Plan(**told["plan"]))
            answer = {"port": camera.port, "gate": camera.gate_port}
        elif camera is not None:
            answer = camera.end()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
