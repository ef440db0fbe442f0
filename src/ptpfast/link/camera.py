"""The camera behind a link, and its objects as this session knows them: whether one is still what
it was when it was listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..ptp.errors import PTPError, TransferError
from ..ptp.objects import Description, ObjectInfo
from .describing import describe_each
from .link import Link
from .tally import Tally

if TYPE_CHECKING:  # which needs SQLite: `import ptpfast` is not to wait for it
    from ..state.index import Index


class Camera:
    """`index` is what is kept of the camera between sessions; None keeps and uses nothing."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.habits = link.habits
        self.index: Index | None = None
        self._compared: set[ObjectInfo] = set()  # objects known from before that are as they were
        self._connected = link.reconnects

    def compare(self, info: ObjectInfo, *, again: bool = False) -> None:
        """TransferError when an object known from an earlier session, or from before the connection
        was lost, is another one by now: its handle may have gone to another picture. Asked once,
        unless `again`."""
        if (again or not self.is_compared(info)) and self.changed([info], again=again):
            raise TransferError(
                f"object 0x{info.handle:X} is no longer {info.name} of {info.size} bytes",
                hint="list the objects again",
            )

    def is_compared(self, info: ObjectInfo) -> bool:
        """Whether an object is known to be what it was listed as."""
        self._forget_if_reconnected()
        return not (info.remembered or self.link.reconnects) or info in self._compared

    def _forget_if_reconnected(self) -> None:
        if self.link.reconnects != self._connected:
            self._connected = self.link.reconnects
            self._compared.clear()

    def changed(self, objects: Iterable[ObjectInfo], *, again: bool = False) -> list[ObjectInfo]:
        """Those of the objects that the camera does not describe as they are known from an earlier
        session, or from before the connection was lost. Each is asked for once, unless `again`;
        before it is read that happens anyway, one by one. ResponseError when the camera cannot
        describe one."""
        to_ask = {info.handle: info for info in objects if again or not self.is_compared(info)}
        others: list[ObjectInfo] = []
        # Not raised amid the requests, where it would pass for one of theirs.
        errors: list[PTPError] = []

        def told(handle: int, answer: Description | PTPError) -> None:
            if isinstance(answer, PTPError):
                errors.append(answer)
            elif answer.agrees_with(to_ask[handle]):
                self._forget_if_reconnected()
                self._compared.add(to_ask[handle])
            else:
                others.append(to_ask[handle])

        describe_each(self.link, list(to_ask), told, Tally())
        if others and self.index is not None:
            self.index.forget()
        if errors:
            raise errors[0]
        return others
