"""The camera behind a link, and the check that an object is still the listed one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..ptp.errors import PTPError, TransferError
from ..ptp.objects import Description, ObjectInfo
from .describing import describe_each
from .habits import Habits
from .link import Link
from .pipelining import Request
from .tally import Tally

if TYPE_CHECKING:  # which needs SQLite: `import ptpfast` is not to wait for it
    from ..state.index import Index


class Camera:
    """The objects of a camera in this session.

    Attributes:
        index: The index of this camera; None uses and keeps nothing.
        announced: The requests of small objects that are to be read soon, by what they depend on.
            They are announced again and again, while the objects before them are read.
        give_way: Asked between two chunks of an object; if it returns True, the read ends there
            with GaveWay. None asks nothing.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.habits: Habits = link.habits
        self.index: Index | None = None
        self.announced: dict[tuple[object, ...], Request] = {}
        self.give_way: Callable[[], bool] | None = None
        self._compared: set[ObjectInfo] = set()  # objects known from before that are as they were
        self._connected = link.reconnects

    def gives_way(self) -> bool:
        """Return whether the read under way is to end, because another object is more urgent."""
        return self.give_way is not None and self.give_way()

    def compare(self, info: ObjectInfo, *, again: bool = False) -> None:
        """Raise TransferError if the handle of an object now belongs to another one.

        This concerns objects that are known from an earlier session, or from before a lost
        connection. The camera is asked once, unless `again`.
        """
        if (again or not self.is_compared(info)) and self.changed([info], again=again):
            raise TransferError(
                f"object 0x{info.handle:X} is no longer {info.name} of {info.size} bytes",
                hint="list the objects again",
            )

    def is_compared(self, info: ObjectInfo) -> bool:
        """Return whether an object is known to match its listing."""
        self._forget_if_reconnected()
        if info.remembered:
            return info in self._compared
        is_of_now = not self.link.reconnects or info.connection == self.link.connection.token
        return is_of_now or info in self._compared

    def _forget_if_reconnected(self) -> None:
        if self.link.reconnects != self._connected:
            self._connected = self.link.reconnects
            self._compared.clear()

    def changed(self, objects: Iterable[ObjectInfo], *, again: bool = False) -> list[ObjectInfo]:
        """Return the objects that the camera describes differently now.

        This concerns objects from an earlier session, or from before a lost connection. Each is
        asked for once, unless `again`. Before an object is read this check runs without being
        called.

        Raises:
            ResponseError: the camera cannot describe one of them.
        """
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
