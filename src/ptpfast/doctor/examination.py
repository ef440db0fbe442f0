"""The examination of one address: each step that the one before allows, until the first trouble.

The steps of the network end at the first one that fails: what comes after it cannot be told. The
disk of this computer is always looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..link.link import Link
from ..ptp.errors import InitFailed, NotApproved, OwnerAsked, PTPError
from ..session.address import address_of
from ..session.connecting import own_identity
from ..session.session import Session
from ..state.identity import at as known_at
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.timeouts import Timeouts
from ..vendors import STANDARD, Vendor, named
from . import causes
from .brand import vendor_of
from .checks import Checks, describe, large_packets_lost, session_cause
from .computer import look_at_disk, look_at_radio
from .diagnosis import Cause, Diagnosis, Step
from .reaching import Failed, cause_of, contact
from .route import Way, resolve, way_to

if TYPE_CHECKING:
    from ..link.connection import Connection

# A doctor who waits as long as a download would is not asked twice.
TIMEOUTS = Timeouts(connect=6, operation=5, idle=5, close=2, held=0, approval=0)
Told = Callable[[Step], object]


def examine(
    host: str,
    *,
    port: int | None = None,
    timeouts: Timeouts | None = None,
    folder: str | Path = ".",
    told: Told | None = None,
    identity: Identity | None = None,
) -> Diagnosis:
    """Find out why a camera cannot be used, or is slow.

    Nothing is written to the camera. A camera that asks its owner about this computer shows that.

    Args:
        host: `HOST`, `HOST:PORT` or `[IPv6]:PORT`.
        port: The TCP port; by default 15740.
        timeouts: By default those of `TIMEOUTS`, which are shorter than those of `connect`.
        folder: The folder whose disk is looked at.
        told: Called with each step when it is finished.
        identity: That of this computer; by default as of `connect`.

    Returns:
        The steps, and what is wrong. It is returned, too, if nothing answers.

    Raises:
        TypeError, ValueError: An argument is wrong.
    """
    address = address_of(host, port)
    found = Diagnosis(str(address))
    run = _Examination(address, timeouts or TIMEOUTS, found, told or (lambda _: None))
    run.identity = identity or own_identity()
    run.camera()
    run.add(*look_at_disk(Path(folder)))
    return found


class _Examination:
    def __init__(self, address: Address, timeouts: Timeouts, found: Diagnosis, told: Told) -> None:
        self.identity = Identity()
        self._address = address
        self._timeouts = timeouts
        self._found = found
        self._told = told
        self._heard: list[str] = []  # what the camera waits for

    def add(self, steps: Iterable[Step], found: Iterable[Cause] = ()) -> None:
        """Record what was found."""
        for step in steps:
            self._found.steps.append(step)
            self._told(step)
        self._found.causes += found

    def camera(self) -> None:
        """Go the way to the camera as far as it leads."""
        ip, step, cause = resolve(self._address)
        self.add([step], [cause] if cause else [])
        if cause is not None:
            return
        way, steps, cause = way_to(ip, self._address.port)
        self.add(steps, [cause] if cause else [])
        if way is None:
            return
        radio, weak = look_at_radio(way.interface)
        self.add(radio)
        self._reach(way)
        self._found.causes += weak

    def _reach(self, way: Way) -> None:
        connection = contact(self._address, self.identity, self._timeouts)
        if isinstance(connection, Failed):
            self._failed(connection, way)
            return
        where = connection.address
        self._found.address = str(where)
        text = f"{where} accepts connections"
        self.add([Step("port", "ok", text, {"port": where.port, "open": True})])
        text = f"{connection.name or 'a camera'} answers"
        facts = {"name": connection.name, "guid": connection.guid.hex()}
        self.add([Step("answer", "ok", text, facts)])
        self._session(connection, way)

    def _failed(self, failed: Failed, way: Way) -> None:
        """Record why the first contact failed, in the words for the camera's vendor."""
        vendor = vendor_of(way.host) or STANDARD
        known = known_at(way.host)
        was_approved = known is not None and bool(known.approved)
        cause = cause_of(failed, way, vendor, was_approved=was_approved)
        facts: dict[str, Any] = {"port": failed.address.port, "open": failed.is_open}
        if failed.is_open:
            text = f"{failed.address} accepts connections"
            self.add([Step("port", "ok", text, dict(facts))])
        name = "answer" if failed.is_open else "port"
        if isinstance(failed.error, InitFailed):
            facts["reason"] = int(failed.error.reason)
        if vendor is not STANDARD:
            facts["vendor"] = vendor.name
        self.add([Step(name, "bad", cause.text, facts)], [cause])

    def _session(self, connection: Connection, way: Way) -> None:
        where = connection.address
        try:
            session = Session(Link(connection, told=self._hear))
        except BaseException as error:
            connection.close()
            if not isinstance(error, PTPError):
                raise
            self._no_session(error, where, vendor_of(way.host) or STANDARD)
            return
        with session:
            step = describe(session)
            self._found.camera = f"{step.facts['manufacturer']} {step.facts['model']}".strip()
            self.add([step])
            for steps, found in Checks(session, where, self.identity, self._heard).run():
                self.add(steps, found)

    def _no_session(self, error: PTPError, where: Address, vendor: Vendor) -> None:
        def small_packets() -> Cause | None:
            return large_packets_lost(where, self.identity)

        match error:
            case OwnerAsked():
                menus = named(error.vendor).menus if error.vendor else vendor.menus
                cause = causes.awaits_owner(error.message, menus)
            case NotApproved():
                cause = causes.rejected(f"the camera at {where}", vendor.menus)
            case InitFailed():
                cause = causes.refused(error.message, error.hint)
            case _:
                cause = session_cause(error, vendor.menus, small_packets)
        self.add([Step("session", "bad", cause.text)], [cause])

    def _hear(self, told: PTPError) -> None:
        """Note what a camera waits for. `pair` waits for its owner, and the doctor does not."""
        if isinstance(told, OwnerAsked):
            raise told
        self._heard.append(told.message)
