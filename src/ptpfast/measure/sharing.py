"""Several cameras: the rate of each alone, and of all at once. Do they share a channel?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ..ptp.errors import PTPError, TransferError
from ..session.session import Session
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.tapping import Recorder
from ..transport.timeouts import Timeouts
from .long import LinkLook, LongRead
from .plan import Watch
from .reads import Clock
from .series import Course
from .steps import COURSE
from .waits import connected

SHARED = 0.85  # of what they do alone: less together means that something is shared
ONE_AT_A_TIME = (0, 1)  # whole objects, as `pull` reads a camera that sends them
CHUNK = 1 << 20  # of cameras that should not be asked for whole objects


@dataclass(frozen=True, slots=True)
class Share:
    """A camera's part. None where it could not be read; `problem` says why."""

    address: str
    camera: str
    alone: Course | None = None
    together: Course | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What some cameras do alone and together, in MB/s."""

    shares: tuple[Share, ...]

    @property
    def alone_mb_per_s(self) -> float:
        """The sum of what each does alone."""
        return sum(alone for alone, _ in self._whole())

    @property
    def together_mb_per_s(self) -> float:
        """The sum of what they do at the same time."""
        return sum(together for _, together in self._whole())

    @property
    def is_shared(self) -> bool | None:
        """Whether they slow each other down; None if fewer than two could be read."""
        if len(self._whole()) < 2:
            return None
        return self.together_mb_per_s < SHARED * self.alone_mb_per_s

    def _whole(self) -> list[tuple[float, float]]:
        return [
            (share.alone.mb_per_s, share.together.mb_per_s)
            for share in self.shares
            if share.alone is not None and share.together is not None
        ]


class _Reader:
    """One camera, connected, and its reads."""

    def __init__(self, address: Address, session: Session, watch: Watch) -> None:
        self.address = str(address)
        self.session = session
        info = session.device_info
        self.camera = f"{info.manufacturer} {info.model}".strip()
        self.clock = Clock()
        self.alone: Course | None = None
        self.together: Course | None = None
        self.problem = ""
        self._watch = watch
        self._read: LongRead | None = None

    def prepare(self) -> None:
        """List its objects. TransferError if there is none."""
        known = [info for info in self.session.objects() if info.size]
        objects = sorted(known, key=lambda info: -(info.size or 0))
        if not objects:
            raise TransferError("no object to measure with", hint="take a picture first")
        address = self.session.link.connection.address
        look = LinkLook(address.host, address.port)
        way = ONE_AT_A_TIME if self.session.link.dialect.quirks.whole_objects else (CHUNK, 1)
        self._read = LongRead(self.session, self.clock, objects[:COURSE], way, look, self._watch)

    def read(self, seconds: float, spot: str) -> Course | None:
        """Read for so many seconds; None if that failed, with the `problem`."""
        if self._read is None:
            return None
        try:
            self._read.run(seconds, spot)
        except PTPError as error:
            self.problem = error.message
        found = [each for each in self._read.intervals if each.spot == spot]
        return Course.of(found, self.address) if found else None


def share(
    addresses: Sequence[Address],
    seconds: float,
    *,
    timeouts: Timeouts,
    watch: Watch,
    recorder: Recorder | None = None,
) -> Sharing:
    """Read each camera alone, then all at once, for `seconds` each time.

    Raises:
        PTPError: a camera cannot be connected to.
    """
    with ExitStack() as stack:
        readers: list[_Reader] = []
        for address in addresses:
            watch.step(f"connecting to {address}")
            identity = Identity(recorder=recorder)
            session, _ = connected(address, identity, timeouts, watch.waiting)
            stack.enter_context(session)
            readers.append(_Reader(address, session, watch))
        for reader in readers:
            watch.step(f"{reader.address} alone")
            try:
                reader.prepare()
            except PTPError as error:
                reader.problem = error.message
                continue
            reader.alone = reader.read(seconds, f"{reader.address}, alone")
        watch.step("all at once")
        _all_at_once([reader for reader in readers if reader.alone], seconds)
        return Sharing(
            tuple(
                Share(reader.address, reader.camera, reader.alone, reader.together, reader.problem)
                for reader in readers
            )
        )


def _all_at_once(readers: Sequence[_Reader], seconds: float) -> None:
    def work(reader: _Reader) -> None:
        reader.together = reader.read(seconds, f"{reader.address}, all at once")

    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in readers]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.25)  # a signal may have been given to another thread
    except BaseException:
        for reader in readers:
            reader.session.cancel()
        for thread in threads:
            thread.join(2.0)
        raise
