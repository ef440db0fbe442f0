"""The order of `ptpfast bench`: connect, measure, then open more connections.

`steps` measures with the session. Handshakes and pings come last, because some bodies need a pause
after one. Nothing is written to the camera.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from ..network.interface import interface_of
from ..network.tcp import tcp_state
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.tapping import Recorder
from ..transport.timeouts import Timeouts
from .disk import Destination
from .engine import engine_speed
from .plan import NobodyWatches, Plan, Watch
from .reads import Clock
from .result import Latency, Result, Subject
from .samples import Spread
from .steps import Steps, note
from .waits import CONNECTING, connected, handshakes

if TYPE_CHECKING:
    from ..session.session import Session
    from ..vendors.quirks import Quirks

HANDSHAKES = 0.04  # of the time; `steps` has the rest
CONNECTIONS = 4


class Bench:
    """One run. `result` is valid at any moment, also when `run` was interrupted."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeouts: Timeouts,
        plan: Plan,
        destination: Destination | None = None,
        watch: Watch | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._timeouts = timeouts
        self._identity = Identity(recorder=recorder)
        self._plan = plan
        self._destination = destination
        self._watch: Watch = watch or NobodyWatches()
        self._clock = Clock()
        address = str(Address(host, port))
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        self.result: Result = Result(Subject(address, when=when), arrivals=self._clock.arrivals)

    def run(self) -> Result:
        """Run all measurements.

        Raises:
            PTPError: the camera cannot be connected to (again).
            TransferError: there is no object to measure with.
        """
        result = self.result
        try:
            self._watch.step(CONNECTING)
            address = Address(self._host, self._port)
            session, took = connected(address, self._identity, self._timeouts, self._watch.waiting)
            self._clock.start()  # a busy camera may have been waited for
            result.latencies += took
            with session:
                try:
                    self._measure(session)
                finally:
                    result.tcp = tcp_state(self._host, self._port)
                    result.interface = interface_of(result.tcp.local if result.tcp else self._host)
            self._handshakes(session.link.dialect.quirks)
            if self._plan.engine:
                self._watch.step("this computer alone")
                result.engine_mb_per_s = engine_speed()
            result.complete = True
        finally:
            result.seconds = self._clock.now()
            if self._destination is not None:
                result.folder = str(self._destination.folder)
        return result

    def _measure(self, session: Session) -> None:
        camera, info = self.result.camera, session.device_info
        camera.manufacturer, camera.model = info.manufacturer, info.model
        camera.firmware = info.device_version
        Steps(session, self._clock, self._plan, self.result, self._watch, self._destination).run()

    def _handshakes(self, quirks: Quirks) -> None:
        """Measure more connections, without a session, except with bodies that need pauses."""
        if quirks.reconnect_pause_s or quirks.close_after_open_s:
            why = "handshakes and pings: left out, because cameras of this maker need pauses"
            note(self.result, self._watch, why)
            return
        self._watch.step("handshakes")
        until = time.monotonic() + max(1.0, HANDSHAKES * self._plan.budget_s)
        took, pings, problem = handshakes(
            Address(self._host, self._port), self._identity, self._timeouts, CONNECTIONS, until
        )
        first = self.result.latency("handshake")
        if took and first is not None:
            spread = Spread.of([first.least, *took])
            rest = [row for row in self.result.latencies if row.what != "handshake"]
            self.result.latencies = [Latency("handshake", spread), *rest]
        if pings:
            self.result.latencies.append(Latency("ping", Spread.of(pings)))
            self._watch.found("ping", f"{Spread.of(pings).p50:.1f} ms")
        if problem:
            note(self.result, self._watch, f"handshakes: {problem}")
