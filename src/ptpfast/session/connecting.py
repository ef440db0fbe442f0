"""Connect to an address and open a session."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from ..link.connection import Connection
from ..link.courtesy import connect_when_free, honour_reconnect_pause
from ..link.link import Link
from ..logs import tell
from ..ptp.arguments import callback, check_names, choice, switches, whole
from ..ptp.errors import ConnectFailed, OwnerAsked, PTPError
from ..transport.contract import Address
from ..transport.handshake import NameUnknown, NothingListens
from ..transport.identity import Identity
from ..transport.timeouts import Timeouts
from ..vendors import ROLES, Role, Vendor, given, transport_of
from ..vendors.elsewhere import others
from .address import address_of, near_nickname, vendor_at
from .session import Session

if TYPE_CHECKING:
    from ..trace import Trace

MAX_DEPTH = 64


class Initiator(TypedDict, total=False):
    """The identity of this computer, and what is recorded; see `connect`."""

    name: str | None
    guid: bytes | None
    trace: str | os.PathLike[str] | Trace | None
    trace_payload: bool
    trace_names: bool


def connect(
    host: str,
    *,
    port: int | None = None,
    vendor: Vendor | str | None = None,
    timeouts: Timeouts | None = None,
    depth: int | None = None,
    index: bool = True,
    waiting: Callable[[PTPError], object] | None = None,
    role: Role = "download",
    **initiator: Unpack[Initiator],
) -> Session:
    """Connect to a camera and open a session; use it in a `with`.

    Args:
        host: `HOST`, `HOST:PORT`, `[IPv6]:PORT`, one of these behind `ptpip:`, or a nickname.
        port: TCP port; by default 15740, or the port of the vendor. If nothing listens at 15740,
            the ports of other vendors are tried.
        vendor: speak as this vendor. By default as `config.toml` or the answer of the camera says.
        timeouts: see `Timeouts`.
        depth: pipeline depth, the number of requests outstanding at a time. By default what
            `ptpfast tune` found for this model, else 1: no specification promises more. If the
            camera cannot handle it, the session reconnects and falls back to 1.
        index: keep what listings learn in the user's cache folder, so that the next listing asks
            for new objects only. False deletes the index of this camera.
        waiting: called once with the reason if the camera may still hold an earlier session. Then
            connecting is retried for `timeouts.held` seconds. Without it the error is raised. Also
            called if the camera's owner has to confirm something, within `timeouts.approval`.
        role: `download` to read the card, `remote` to take pictures. Some cameras can do only one
            of them in a session.
        name: what the camera may call this computer; 39 characters are kept.
        guid: 16 bytes that identify this computer; by default the same in every run.
        trace: record the connections in this new file for Wireshark, or in a shared `Trace`.
        trace_payload, trace_names: keep pictures and names in the new file. See docs/traces.md.

    Raises:
        ConnectFailed: nothing answers, or something that is not a camera.
        InitFailed: the camera refuses the connection.
        ResponseError: the camera refuses the session.
        FileExistsError, OSError: the trace exists, or cannot be written.
        TypeError, ValueError: an argument is wrong.

    Example:
        with ptpfast.connect("192.168.1.1") as session:
            print(session.device_info.model)
    """
    check_names("connect", initiator, Initiator.__optional_keys__)
    address, vendor = _place(host, port, vendor)
    depth, timeouts = _checked(depth, timeouts, waiting, role, index)
    began = time.monotonic()
    with _recorded(initiator) as (identity, own):
        honour_reconnect_pause(address)
        open_one = partial(_open, address, identity, timeouts, vendor, waiting)
        connection = connect_when_free(open_one, address, timeouts.held, waiting)
        with _closed_on_error(connection):
            session = Session(Link(connection, vendor, role, waiting), own)
            with _closed_on_error(session):
                _take(session, connection.guid, depth, kept=index)
                _tell_connected(session, time.monotonic() - began)
            return session


def own_identity(guid: bytes | None = None, name: str | None = None) -> Identity:
    """Return the identity of this computer: what is given, and the rest as the user has kept it."""
    from ..state import identity  # not at once: it would be a good part of `import ptpfast`

    return Identity.of(guid, name)._replace(usual=identity.own())


def _place(
    host: str, port: int | None, vendor: Vendor | str | None
) -> tuple[Address, Vendor | None]:
    """Return where the camera is, and the vendor to speak as, if one is known. ValueError,
    TypeError."""
    if vendor is not None:
        vendor = given(vendor)
        return address_of(host, port, vendor.transport.port), vendor
    address = address_of(host, port)
    kept = vendor_at(address)
    return address, given(kept) if kept else None


@contextmanager
def _closed_on_error(closable: Connection | Session | Trace) -> Iterator[None]:
    try:
        yield
    except BaseException:
        closable.close()
        raise


@contextmanager
def _recorded(given: Initiator) -> Iterator[tuple[Identity, Trace | None]]:
    """Yield the identity with what records the session, and a trace to close with the session."""
    identity = own_identity(given.get("guid"), given.get("name"))
    trace, payload = given.get("trace"), given.get("trace_payload", False)
    names = given.get("trace_names", False)
    if trace is None and not payload and not names:
        switches(trace_payload=payload, trace_names=names)
        yield identity, None
        return
    from ..trace import opened

    recorder = opened(trace, payload=payload, names=names)
    identity = identity._replace(recorder=recorder)
    if recorder is trace or recorder is None:
        yield identity, None
        return
    with _closed_on_error(recorder):
        yield identity, recorder


def _open(
    address: Address,
    identity: Identity,
    timeouts: Timeouts,
    vendor: Vendor | None,
    waiting: Callable[[PTPError], object] | None,
) -> Connection:
    """Connect at an address; if nothing listens there, as the cameras of other vendors do."""
    if waiting is not None:
        identity = identity._replace(confirm=partial(_tell, address, waiting, timeouts.approval))
    transport = transport_of(vendor, address.port)
    try:
        return Connection.open(address, identity, timeouts, transport=transport)
    except NameUnknown as error:
        if near := near_nickname(address.host):
            error.hint = f"did you mean {near!r}? {error.hint}"
        raise
    except NothingListens as refused:
        told = []
        for other in others(address) if vendor is None else ():
            there = Address(address.host, other.port)
            honour_reconnect_pause(there)
            try:
                return Connection.open(there, identity, timeouts, transport=other)
            except NothingListens:
                continue
            except ConnectFailed as error:  # it may be anything that listens there
                own = error.hint != ConnectFailed.hint
                told.append(str(error) if own else error.message)
        if not told:
            raise
        hint = "; ".join([refused.hint, *told])
        raise NothingListens(refused.message, hint=hint) from refused.__cause__


def _tell(
    address: Address, waiting: Callable[[PTPError], object], within_s: float, text: str
) -> None:
    """Tell the user what a connection waits for."""
    tell("owner_awaited", camera=address, reason=text)
    waiting(OwnerAsked(text, within_s))


def _tell_connected(session: Session, seconds: float) -> None:
    tell(
        "connected",
        camera=session.link.connection.address,
        model=session.device_info.model,
        vendor=session.vendor.name,
        seconds=seconds,
    )


def _checked(
    depth: Any, timeouts: Any, waiting: Any, role: Any, index: Any
) -> tuple[int | None, Timeouts]:
    """Return depth and timeouts. TypeError, ValueError for an argument that is wrong."""
    callback("waiting", waiting)
    choice("role", role, ROLES)
    switches(index=index)
    if depth is not None:
        depth = whole("depth", depth, "a number of requests", 1, MAX_DEPTH)
    if timeouts is not None and not isinstance(timeouts, Timeouts):
        example = "Timeouts(operation=5)"
        raise TypeError(f"timeouts takes Timeouts, such as {example}, not {timeouts!r:.60}")
    return depth, timeouts or Timeouts()


def _take(session: Session, guid: bytes, depth: int | None, *, kept: bool) -> None:
    """Give a session its depth, and the index of its camera, or delete that."""
    from ..state.index import Index

    if depth is not None:
        session.habits.depth = depth
    session.index = Index.of(session.device_info, guid)
    if session.index is not None and not kept:
        session.index.forget()
        session.index = None


def _spelled_out() -> inspect.Signature:
    """Return the signature of `connect` with a parameter for each of `Initiator`, for help."""
    plain = inspect.signature(connect)
    *others, _ = plain.parameters.values()
    by_name = inspect.Parameter.KEYWORD_ONLY
    more = [
        inspect.Parameter(
            name,
            by_name,
            default=None if "None" in hint.__forward_arg__ else False,
            annotation=hint.__forward_arg__,
        )
        for name, hint in Initiator.__annotations__.items()
    ]
    return plain.replace(parameters=[*others, *more])


connect.__dict__["__signature__"] = _spelled_out()
