"""The first operations with a camera: who it is, and a session.

Sources: libgphoto2 (library.c) and airmtp.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..engine.phase import Phase
from ..engine.sink import MemorySink
from ..ptp.codes import OperationCode, ResponseCode
from ..ptp.datasets import DeviceInfo, decode
from ..ptp.errors import NetworkError, ResponseError, Timeout
from .connection import Connection
from .patience import until
from .pipelining import Request

# The limit of memory for a dataset that is parsed into Python's numbers and strings,
# each many times its size on the wire: it has a few hundred bytes.
MAX_STRUCTURE = 1 << 20

Transact = Callable[[Request], Phase]
# From a session id, the operation that opens the session and its parameters.
Opening = Callable[[int], tuple[int, tuple[int, ...]]]


def ask_device_info(transact: Transact, *, in_session: bool = False) -> DeviceInfo:
    """Ask for DeviceInfo; an empty answer is requested a second time, then accepted.

    Fujifilm's X-T4 answers with nothing at all (libgphoto2). No partial file is resumed from a
    camera that does not identify itself.
    """
    for _ in range(2):
        sink = MemorySink()
        request = Request(OperationCode.GetDeviceInfo, sink=sink, limit=MAX_STRUCTURE)
        request.in_session = in_session
        transact(request)
        if payload := sink.finish():
            return decode(DeviceInfo, payload)
    return DeviceInfo()


def open_session(transact: Transact, opening: Opening, first: int = 1) -> None:
    """Open a session with id 1, 2, 3…: after an unclean end a body may refuse some (libgphoto2).

    first: the id to begin with.
    """
    for session_id in range(first, first + 10):
        try:
            operation, parameters = opening(session_id)
            transact(Request(operation, parameters, in_session=False))
        except ResponseError as error:
            if error.code == ResponseCode.SessionAlreadyOpened:
                return
            if error.code != ResponseCode.InvalidTransactionID or session_id == first + 9:
                raise
        else:
            return


def close_session(transact: Callable[..., object], limit_s: float) -> None:
    """Close the session, in `limit_s` seconds: many cameras refuse the next Init for half a minute
    without it."""
    code, over = OperationCode.CloseSession, until(time.monotonic() + limit_s)
    transact(Request(code, any_transaction_id=True, on_pause=over), busy_s=0.0)


def name_who_answered(error: NetworkError, connection: Connection) -> None:
    """Add the camera's name to an error after the handshake."""
    who = f"{connection.name or 'a camera'} answered at {connection.address}"
    end = "stopped answering" if isinstance(error, Timeout) else "closed the connection"
    error.precede(f"{who} and then {end}")
