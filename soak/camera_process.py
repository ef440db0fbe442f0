"""The camera of a soak, a process of its own: `python -m soak.camera_process`.

A line of JSON on standard input is an order, and a line on standard output its answer:

    {"card": …, "plan": …, "armed": …, "port": …, "vendor": …, "trap": …}
    {"visit": LIES}                                              be ready for another run
    {"trap": {"pid", "signal", "bytes", "operations"} or null}   set one, or none any more
    {"tell": true}                                               what was done and sent so far

A trap springs when so many bytes of objects, or so many operations, have been served from then on,
whichever comes first: it sends the signal, at that very byte. Without a pid it is the camera that
goes, as if its battery had been taken out: it says `gone` with all it knows, and its process ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ptpfast import vendors
from ptpfast.ptp.codes import OperationCode
from ptpfast.sim import SimulatedCamera, Transaction
from ptpfast.sim.content import Content
from ptpfast.sim.counters import Observer
from ptpfast.vendors.nikon.codes import NikonOperation

from .card import Card
from .faults import CountingTable

READS = {
    OperationCode.GetObject,
    OperationCode.GetPartialObject,
    NikonOperation.GetPartialObjectEx,
}


@dataclass
class Trap:
    """What happens after so many bytes or operations; see above."""

    pid: int | None
    signal: int
    bytes: int | None = None
    operations: int | None = None


class WatchedContent:
    """A file's bytes, none of which leaves without the camera knowing."""

    def __init__(self, content: Content, watch: Watch) -> None:
        self.size = content.size
        self._content = content
        self._watch = watch

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        """The range, cut where a trap is to spring: by then all before it has been sent."""
        watch = self._watch
        watch.begin()
        for whole in self._content.spans(offset, size):
            span = whole
            while (left := watch.until_trap()) is not None and left <= len(span):
                watch.passed(left)
                if left:
                    yield span[:left]
                span = span[left:]
                watch.spring()
            # Before it is handed out: for the last piece nobody comes back.
            watch.passed(len(span))
            if span:
                yield span


class Watch:
    """Counts what leaves, and springs the trap."""

    def __init__(self, speak: Any) -> None:
        self._speak = speak
        self._trap: Trap | None = None
        self._lock = threading.Lock()
        self.camera: SoakCamera | None = None
        self.under_way = 0  # bytes of the transaction that runs

    def set(self, trap: Trap | None) -> None:
        """Or none any more."""
        with self._lock:
            self._trap = trap

    def begin(self) -> None:
        """A transaction with bytes of an object."""
        self.under_way = 0

    def passed(self, size: int) -> None:
        """So many have left."""
        self.under_way += size
        with self._lock:
            if self._trap is not None and self._trap.bytes is not None:
                self._trap.bytes -= size

    def until_trap(self) -> int | None:
        """Bytes; None without a trap at a byte."""
        with self._lock:
            return None if self._trap is None else self._trap.bytes

    def operation(self) -> None:
        """One more was asked for."""
        with self._lock:
            trap = self._trap
            if trap is None or trap.operations is None:
                return
            trap.operations -= 1
            if trap.operations > 0:
                return
        self.spring()

    def spring(self) -> None:
        """Once."""
        with self._lock:
            trap, self._trap = self._trap, None
        if trap is None:
            return
        if trap.pid is not None:
            try:
                os.kill(trap.pid, trap.signal)
            except ProcessLookupError:
                pass  # it has ended already
            return
        assert self.camera is not None
        self._speak({"gone": True, **self.camera.told(self.under_way)})
        os._exit(0)


class SoakCamera(SimulatedCamera):
    """A simulated camera that arms its faults itself and knows what it has sent of its files."""

    def __init__(self, order: dict[str, Any], watch: Watch) -> None:
        self._watch = watch
        self._card = Card(**order["card"])
        self.sent = 0  # bytes of objects
        self.largest = 0  # bytes asked for in one read
        self.table = CountingTable(map(tuple, order["plan"]), order["armed"])
        vendor = vendors.named(order["vendor"])
        self._reads = READS
        super().__init__(
            vendor,
            self._fresh(),
            seed=self._card.seed,
            port=order["port"],
            pending_s=1.0,
            faults=self.table,
        )
        self.counters.observer = Observer(self._begun, self._ended)
        watch.camera = self

    def _fresh(self) -> Any:
        store = self._card.store(lambda content: WatchedContent(content, self._watch))
        self._files = len(store.files())
        return store

    def visit(self, lies: list[str]) -> None:
        """Before a run: objects that had vanished are there again, and lies are ready."""
        if len(self.store.files()) != self._files:
            self.store = self._fresh()
        self.table.tell(lies)

    def _begun(self, code: int) -> None:
        """Arms, and springs the trap when it is time."""
        self._watch.operation()
        if code in self._reads:
            self.table.read_begins()

    def _ended(self, transaction: Transaction) -> None:
        """Counts what has been done."""
        if transaction.operation in self._reads:
            self.sent += transaction.payload
            self.largest = max(self.largest, transaction.payload)
            self._watch.begin()
        self.table.transaction_ends(transaction.payload)

    def told(self, under_way: int = 0) -> dict[str, Any]:
        """All there is to know."""
        plan, armed = self.table.left()
        return {
            "applied": dict(self.table.applied),
            "sent": self.sent + under_way,
            "largest": self.largest,
            "plan": plan,
            "armed": armed,
            "operations": sum(self.operations.values()),
        }


def _trap(order: dict[str, Any]) -> Trap | None:
    return None if order["trap"] is None else Trap(**order["trap"])


def serve() -> None:
    """Does what standard input orders, until it ends."""
    speaking = threading.Lock()

    def speak(answer: dict[str, Any]) -> None:
        with speaking:
            os.write(1, (json.dumps(answer) + "\n").encode())

    watch = Watch(speak)
    order = json.loads(sys.stdin.readline())
    camera = SoakCamera(order, watch)
    watch.set(_trap(order))
    speak({"port": camera.port})
    for line in sys.stdin:
        order = json.loads(line)
        if "visit" in order:
            watch.set(None)
            camera.visit(order["visit"])
            speak({})
        elif "trap" in order:
            watch.set(_trap(order))
            speak({})
        else:
            # The threads of the last connection may still be at work.
            camera.wait_for(lambda: not camera.serving, 2.0)
            speak(camera.told())
    camera.close()


if __name__ == "__main__":
    serve()
