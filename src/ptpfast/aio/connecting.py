"""`connect`: open a session in a thread of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Unpack

from ..session.connecting import Initiator
from ..session.connecting import connect as connect_sync
from ..session.session import Session as SyncSession
from .session import Session
from .worker import Worker

if TYPE_CHECKING:
    from ..ptp.errors import PTPError
    from ..transport.timeouts import Timeouts
    from ..vendors import Role, Vendor

# How long a cancelled task waits for the thread that connects. It then closes what it opens.
CONNECT_GRACE_S = 0.5


class Connecting:
    """A session that is not open yet: use it in an `async with`, or `await` it."""

    def __init__(self, host: str, connect: Callable[[], SyncSession]) -> None:
        self._host = host
        self._connect = connect
        self._session: Session | None = None

    def __await__(self) -> Generator[object, None, Session]:
        return self._open().__await__()

    async def _open(self) -> Session:
        worker = Worker(f"ptpfast {self._host}")
        try:
            opened = await worker.do(self._connect, undo=SyncSession.close, grace_s=CONNECT_GRACE_S)
        except BaseException:
            worker.end()
            raise
        return Session(opened, worker)

    async def __aenter__(self) -> Session:
        self._session = await self._open()
        return self._session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()


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
) -> Connecting:
    """Connect to a camera and open a session; use it in an `async with`, or `await` it.

    Args:
        host: all arguments are those of `ptpfast.connect`.
        port: as there.
        vendor: as there.
        timeouts: as there.
        depth: as there.
        index: as there.
        waiting: as there; it is called in the session's thread.
        role: as there.
        name, guid, trace, trace_payload, trace_names: as there.

    Raises:
        ConnectFailed, InitFailed, ResponseError, TypeError, ValueError: as there, when it is
            awaited.

    Example:
        async with ptpfast.aio.connect("192.168.1.1") as session:
            print(await session.objects())
    """
    options = {
        "port": port,
        "vendor": vendor,
        "timeouts": timeouts,
        "depth": depth,
        "index": index,
        "waiting": waiting,
        "role": role,
        **initiator,
    }
    return Connecting(host, partial(connect_sync, host, **options))  # type: ignore[arg-type]


connect.__dict__["__signature__"] = inspect.signature(connect_sync).replace(
    return_annotation="Connecting"
)
