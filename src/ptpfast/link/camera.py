"""The camera behind a link, and the check that an object is still the listed one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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


Answer = Description | PTPError
# Objects that are compared at once, so that the next ones can be asked for ahead.
COMPARED = 64


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
        self._connected = link.connection.token

    def gives_way(self) -> bool:
        """Return whether the read under way is to end, because another object is more urgent."""
        return self.give_way is not None and self.give_way()

    @property
    def next_wanted(self) -> int:
        """How many of the next objects a read of one can use: to ask ahead, or to compare."""
        depth = self.habits.depth
        return max(depth, COMPARED) if depth > 1 and self.link.reconnects else depth

    def compare(
        self, info: ObjectInfo, then: Sequence[ObjectInfo] = (), *, again: bool = False
    ) -> None:
        """Raise TransferError if the handle of an object now belongs to another one.

        This concerns objects that are known from another session, or from before a lost
        connection. The camera is asked once for each, unless `again`.

        Args:
            info: the object.
            then: those that are read next. With requests sent ahead, they are compared together
                with it: one that is not compared cannot be asked for ahead.
            again: compare it even if that was done.
        """
        if not again and self.is_compared(info):
            return
        told = self._told([info, *self._to_compare(then)], again=again)
        answer = told.get(info.handle)
        if isinstance(answer, PTPError):
            raise answer
        if answer is not None and not answer.agrees_with(info):
            raise TransferError(
                f"object 0x{info.handle:X} is no longer {info.name} of {info.size} bytes",
                hint="list the objects again",
            )

    def _to_compare(self, then: Sequence[ObjectInfo]) -> Iterator[ObjectInfo]:
        if self.habits.depth > 1:
            yield from (each for each in then[:COMPARED] if not self.is_compared(each))

    def is_compared(self, info: ObjectInfo) -> bool:
        """Return whether an object is known to match its listing."""
        self._forget_if_reconnected()
        is_fresh = not info.remembered and info.connection == self.link.connection.token
        return is_fresh or info in self._compared

    def _forget_if_reconnected(self) -> None:
        if self.link.connection.token != self._connected:
            self._connected = self.link.connection.token
            self._compared.clear()

    def changed(self, objects: Iterable[ObjectInfo], *, again: bool = False) -> list[ObjectInfo]:
        """Return the objects that the camera describes differently now.

        This concerns objects from another session, or from before a lost connection. Each is
        asked for once, unless `again`. Before an object is read this check runs without being
        called.

        Raises:
            ResponseError: the camera cannot describe one of them.
        """
        asked = list(objects)
        told = self._told(asked, again=again)
        for answer in told.values():
            if isinstance(answer, PTPError):
                raise answer
        return [
            info
            for info in asked
            if isinstance(now := told.get(info.handle), Description) and not now.agrees_with(info)
        ]

    def _told(self, objects: Iterable[ObjectInfo], *, again: bool) -> dict[int, Answer]:
        """Return what the camera says now of those that are still to be compared, by handle."""
        to_ask = {info.handle: info for info in objects if again or not self.is_compared(info)}
        # Errors are not raised amid the requests, where they would pass for one of theirs.
        answers: dict[int, Answer] = {}
        differs = False

        def told(handle: int, answer: Answer) -> None:
            nonlocal differs
            answers[handle] = answer
            if isinstance(answer, PTPError):
                return
            if answer.agrees_with(to_ask[handle]):
                self._forget_if_reconnected()
                self._compared.add(to_ask[handle])
            else:
                differs = True

        describe_each(self.link, list(to_ask), told, Tally())
        if differs and self.index is not None:
            self.index.forget()
        return answers
