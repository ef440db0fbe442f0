"""From an address to an open session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypedDict, Unpack

from ..link.connection import Connection
from ..link.courtesy import connect_when_free, wait_until_welcome
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
    """How this computer introduces itself to a camera; see `connect`."""

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
    """Connects to a camera and opens a session; use it in a `with`.

    name: what the camera may call this computer (39 characters are kept). guid: 16 bytes it is
    known by, the same in every run by default. vendor: instead of choosing by the camera's answer.
    depth: how many requests may be outstanding at a time where many are made (listings, chunks of
    an object); by default what `ptpfast tune` found for this model, else 1, because no
    specification promises that a camera copes with more. One that does not is connected to again
    and asked one at a time from then on.
    index: whether what listings learn is kept for the next session, in the user's cache folder, so
    that it asks only for what is new. With False nothing is kept, and what was kept of this camera
    is deleted.
    waiting: called with the refusal, once, when the camera seems to hold an earlier session, as it
    does after an unclean end; then it is asked again for as long as `timeouts.held` says. Without
    it the refusal is raised at once.
    Raises ConnectFailed (nobody, or no camera, answers), InitFailed (it refuses us), ResponseError.
    """
    check_names("connect", initiator, Initiator.__optional_keys__)
    address, identity = Address(host, port), Identity(**initiator)
    wait_until_welcome(address)
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
