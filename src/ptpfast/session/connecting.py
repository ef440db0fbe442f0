"""Connect to an address and open a session."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TypedDict, Unpack

from ..link.connection import Connection
from ..link.courtesy import connect_when_free, honour_reconnect_pause
from ..link.link import Link
from ..ptp.arguments import check_names
from ..ptp.codes import DEFAULT_PORT
from ..ptp.errors import PTPError
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.timeouts import Timeouts
from ..vendors import Vendor, transport_of
from .session import Session


class Initiator(TypedDict, total=False):
    """The identity of this computer; see `connect`."""

    name: str | None
    guid: bytes | None


def connect(
    host: str,
    *,
    port: int = DEFAULT_PORT,
    vendor: Vendor | None = None,
    timeouts: Timeouts | None = None,
    depth: int | None = None,
    index: bool = True,
    waiting: Callable[[PTPError], object] | None = None,
    **initiator: Unpack[Initiator],
) -> Session:
    """Connect to a camera and open a session; use it in a `with`.

    Args:
        host: host name or address.
        port: TCP port.
        vendor: speak as this vendor, instead of choosing by the camera's answer.
        timeouts: see `Timeouts`.
        depth: pipeline depth, the number of requests outstanding at a time. By default what
            `ptpfast tune` found for this model, else 1: no specification promises more. If the
            camera cannot handle it, the session reconnects and falls back to 1.
        index: keep what listings learn in the user's cache folder, so that the next listing asks
            for new objects only. False deletes the index of this camera.
        waiting: called once with the refusal if the camera may still hold an earlier session. Then
            connecting is retried for `timeouts.held` seconds. Without it the refusal is raised.
        name: what the camera may call this computer; 39 characters are kept.
        guid: 16 bytes that identify this computer; by default the same in every run.

    Raises:
        ConnectFailed: nothing answers, or something that is not a camera.
        InitFailed: the camera refuses the connection.
        ResponseError: the camera refuses the session.

    Example:
        with ptpfast.connect("192.168.1.1") as session:
            print(session.device_info.model)
    """
    check_names("connect", initiator, Initiator.__optional_keys__)
    address, identity = Address(host, port), Identity(**initiator)
    honour_reconnect_pause(address)
    timeouts = timeouts or Timeouts()
    transport = transport_of(vendor, port)
    open_one = partial(Connection.open, address, identity, timeouts, transport=transport)
    connection = connect_when_free(open_one, address, timeouts.held, waiting)
    try:
        session = Session(Link(connection, vendor))
        if depth is not None:
            session.habits.depth = max(1, depth)
        from ..state.index import Index

        session.index = Index.of(session.device_info, connection.guid)
        if session.index is not None and not index:
            session.index.forget()
            session.index = None
        return session
    except BaseException:
        connection.close()
        raise


def _spelled_out() -> inspect.Signature:
    """Return the signature of `connect` with a parameter for each of `Initiator`, for help."""
    plain = inspect.signature(connect)
    *others, _ = plain.parameters.values()
    by_name = inspect.Parameter.KEYWORD_ONLY
    more = [
        inspect.Parameter(name, by_name, default=None, annotation=hint.__forward_arg__)
        for name, hint in Initiator.__annotations__.items()
    ]
    return plain.replace(parameters=[*others, *more])


connect.__dict__["__signature__"] = _spelled_out()
