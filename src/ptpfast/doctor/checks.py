"""What an open session shows: the card, the speed of requests, and whether large answers arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from ..link.opening import ask_device_info
from ..network.tcp import TcpState, tcp_state
from ..ptp.errors import (
    AccessDenied,
    Cancelled,
    NetworkError,
    ProtocolError,
    PTPError,
    StoreNotAvailable,
    Timeout,
    Unsupported,
)
from ..ptp.objects import ObjectInfo
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.ptpip import PTP_IP
from ..vendors import transport_of
from ..vendors.menus import Menus
from . import causes
from .diagnosis import Cause, Step
from .segments import AFTER_DROP_S, SEGMENT, answers_in_small_segments

if TYPE_CHECKING:
    from ..listing import Listing
    from ..session.session import Session

ROUND_TRIPS = 5
SLOW_MS = 100.0  # for a request; through an access point a few ms are usual
LOSSY = 0.01  # part of the packets; TCP's rate falls by half and more
FEW_SEGMENTS = 200  # too few to tell a rate of loss from
LIST_S = 15.0  # for a list of the card
FEW = 16  # objects that are described
READ_BYTES, READ_S = 4 << 20, 4.0
# Pieces grow while they come quickly: a slow camera is not to keep anyone.
FIRST_PIECE, LARGEST_PIECE, QUICK_S = 1 << 14, 1 << 20, 0.25
TRIAL_BYTES = 1 << 16  # far more than a small packet

Found = tuple[list[Step], list[Cause]]


def describe(session: Session) -> Step:
    """Return the step that says what the camera is and can do."""
    info, reads = session.device_info, session.link.dialect.reads()
    in_parts = any(session.supports(read.operation) for read in reads)
    beyond = any(session.supports(read.operation) for read in reads if read.offset_bits > 32)
    name = f"{info.manufacturer} {info.model}".strip() or "a camera that does not name itself"
    abilities = ["reads in parts" if in_parts else "whole files only: downloads cannot resume"]
    abilities += ["files over 4 GiB"] if beyond else []
    facts = {
        "manufacturer": info.manufacturer,
        "model": info.model,
        "firmware": info.device_version,
        "vendor": session.vendor.name,
        "partial_reads": in_parts,
        "large_objects": beyond,
        "operations": len(info.operations_supported),
    }
    text = f"{name}, firmware {info.device_version or 'not told'}: {', '.join(abilities)}"
    return Step("camera", "ok", text, facts)


class Checks:
    """The checks of a session, in their order.

    Args:
        session: the open session.
        address: its camera's.
        identity: that of this computer.
        heard: grows when the session tells what the camera waits for.
    """

    def __init__(
        self, session: Session, address: Address, identity: Identity, heard: Sequence[str] = ()
    ) -> None:
        self._heard = heard
        self._session = session
        self._address = address
        self._identity = identity
        self._sample: ObjectInfo | None = None
        self._is_over = False  # the session can do no more

    def run(self) -> Iterator[Found]:
        """Yield the steps and causes of each check. They end when the session has ended."""
        for name, check in (
            ("card", self._card),
            ("round trips", self._round_trips),
            ("reading", self._reading),
        ):
            try:
                found = check()
            except PTPError as error:
                self._is_over = isinstance(error, NetworkError)
                cause = self._cause(error)
                found = [Step(name, "bad", cause.text)], [cause]
            yield found
            if self._is_over or not self._session.usable:
                return

    def _card(self) -> Found:
        storage_ids = self._session.storage_ids()
        if not storage_ids:
            cause = causes.no_card()
            return [Step("card", "bad", cause.text, {"cards": 0})], [cause]
        with _cancelled_after(LIST_S, self._session):
            try:
                listing = self._session.listing()
                count = len(listing.handles)
                self._choose_sample(listing)
            except Cancelled:
                self._is_over = True  # the camera still sends the list
                text = f"the list of the card takes longer than {LIST_S:.0f} s"
                return [Step("card", "slow", text, {"cards": len(storage_ids)})], []
        facts = {"cards": len(storage_ids), "objects": count}
        if refused := listing.unlisted:
            raise next(iter(refused.values()))
        if self._heard:
            cause = causes.wrong_mode(self._heard[0], self._session.vendor.menus, blocks=not count)
            return [Step("card", "slow" if count else "bad", cause.text, facts)], [cause]
        if not count:
            cause = causes.empty_card("; ".join(listing.doubts))
            return [Step("card", "slow", cause.text, facts)], [cause]
        return [Step("card", "ok", f"{count:,} files and folders", facts)], []

    def _choose_sample(self, listing: Listing) -> None:
        """Choose the largest of a few files, to read from it."""
        if not listing.handles:
            return
        table = listing.next(FEW)
        listing.close()
        if table is not None and table.failures and not table:
            raise table.failures[0][1]
        files = [info for info in table or () if info.size]
        self._sample = max(files, key=lambda info: info.size or 0, default=None)

    def _round_trips(self) -> Found:
        link = self._session.link
        if link.connection.opened.device_info is not None:  # it is not asked for that
            return [Step("round trips", "unknown", "not measured with this camera")], []
        took = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            ask_device_info(link.transact, in_session=True)
            took.append((time.perf_counter() - began) * 1000)
        ms, line = median(took), self._tcp()
        line_ms = line.min_rtt_ms if line else None
        facts = {"ms": round(ms, 2), "network_ms": line_ms}
        text = f"{ms:.1f} ms for a small request"
        text += f", {line_ms:.1f} ms of them in the network" if line_ms else ""
        if ms <= SLOW_MS:
            return [Step("round trips", "ok", text, facts)], []
        return [Step("round trips", "slow", text, facts)], [causes.slow_round_trips(ms, line_ms)]

    def _reading(self) -> Found:
        info, session = self._sample, self._session
        reads = (read for read in session.link.dialect.reads() if session.supports(read.operation))
        if info is None or next(reads, None) is None:
            why = "no file was found to read" if info is None else "this camera sends whole files"
            return [Step("reading", "unknown", f"not tried: {why}")], []
        size = min(info.size or 0, READ_BYTES)
        began, received, next_size = time.monotonic(), 0, FIRST_PIECE
        while received < size and time.monotonic() - began < READ_S:
            piece = bytearray(min(next_size, size - received))
            asked = time.monotonic()
            session.read_into(info, piece, offset=received, size=len(piece))
            received += len(piece)
            if time.monotonic() - asked < QUICK_S:
                next_size = min(2 * next_size, LARGEST_PIECE)
        took = max(time.monotonic() - began, 1e-9)
        rate = received / took / 1e6
        text = f"{received / 1e6:.1f} MB at {rate:.1f} MB/s"
        step = Step("reading", "ok", text, {"bytes": received, "mb_per_s": round(rate, 2)})
        loss, found = self._loss()
        return [step, loss], found

    def _loss(self) -> tuple[Step, list[Cause]]:
        state = self._tcp()
        if state is None:
            return Step("packets", "unknown", "this system does not count lost packets"), []
        percent = 100 * state.loss
        facts = {
            "packets": state.segments,
            "out_of_order": state.out_of_order,
            "sent_again": state.repeated,
        }
        text = f"{percent:.1f} % of {state.segments:,} packets came out of order; this computer "
        text += f"has sent {state.repeated} again"
        if state.segments < FEW_SEGMENTS or state.loss < LOSSY:
            return Step("packets", "ok", text, facts), []
        return Step("packets", "slow", text, facts), [causes.loss(percent)]

    def _tcp(self) -> TcpState | None:
        return tcp_state(*self._address)

    def _cause(self, error: PTPError) -> Cause:
        return session_cause(error, self._session.vendor.menus, self._large_packets_are_lost)

    def _large_packets_are_lost(self) -> Cause | None:
        """Try the read again over small packets, on a new connection."""
        session, info = self._session, self._sample
        session.close()
        reads = (read for read in session.link.dialect.reads() if session.supports(read.operation))
        read, request = next(reads, None), None
        if info is not None and read is not None:
            size = min(info.size or 0, TRIAL_BYTES)
            request = read.operation, read.parameters(info.handle, 0, size)
        return large_packets_lost(self._address, self._identity, request)


def session_cause(
    error: PTPError, menus: Menus, small_packets: Callable[[], Cause | None]
) -> Cause:
    """Return what an error of a session means; `small_packets` tries them after a silence."""
    match error:
        case Timeout():
            return small_packets() or causes.hangs(error.message)
        case NetworkError():
            return causes.lost(error.message)
        case AccessDenied() | Unsupported():
            return causes.wrong_mode(error.message, menus)
        case StoreNotAvailable():
            return causes.asleep(error.message)
        case ProtocolError():
            return causes.broken_protocol(error.message)
        case _:
            return causes.refused(error.message, error.hint)


def large_packets_lost(
    address: Address, identity: Identity, read: tuple[int, tuple[int, ...]] | None = None
) -> Cause | None:
    """Return the cause if a camera that was silent answers over small segments."""
    if transport_of(None, address.port) is not PTP_IP:
        return None
    time.sleep(AFTER_DROP_S)
    if not answers_in_small_segments(address, identity, read):
        return None
    return causes.large_packets_lost(str(address), SEGMENT)


@contextmanager
def _cancelled_after(seconds: float, session: Session) -> Iterator[None]:
    """Cancel what the session does if it takes longer."""
    timer = threading.Timer(seconds, session.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
