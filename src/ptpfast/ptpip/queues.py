"""Lists that threads share: `cmd_queue`, `event_queue` and `object_queue`.

They behave as the plain lists of the original. `changed` is notified of each change, so a thread
can wait without polling.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, MutableSequence
from typing import Any, TypeVar

from ..ptp.errors import Cancelled
from .packets import PtpIpCmdRequest

T = TypeVar("T")


class SharedList(MutableSequence[T]):
    """A list that may change in one thread while others use it; iteration uses a copy.

    `changed` is a Condition on its lock: `changed.wait_for(lambda: len(queue) > 2, timeout)`.
    """

    def __init__(self) -> None:
        self.changed: threading.Condition = threading.Condition()
        self._items: list[T] = []

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.copy())

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        with self.changed:
            self._items[index] = value
            self.changed.notify_all()

    def __delitem__(self, index: Any) -> None:
        with self.changed:
            del self._items[index]
            self.changed.notify_all()

    def insert(self, index: int, value: T) -> None:
        with self.changed:
            self._items.insert(index, value)
            self.changed.notify_all()

    def append(self, value: T) -> None:
        with self.changed:
            self.insert(len(self._items), value)

    def extend(self, values: Iterable[T]) -> None:
        with self.changed:
            super().extend(values)

    def pop(self, index: int = -1) -> T:
        with self.changed:
            return super().pop(index)

    def remove(self, value: T) -> None:
        with self.changed:
            super().remove(value)

    def clear(self) -> None:
        with self.changed:
            super().clear()

    def __eq__(self, other: object) -> bool:
        return self._items == (other._items if isinstance(other, SharedList) else other)

    def __repr__(self) -> str:
        return repr(self._items)


class CommandQueue(SharedList[PtpIpCmdRequest]):
    """Requests in the order of sending.

    While `closed`, an added request ends at once with Cancelled, so that its caller does not wait.
    """

    closed: bool = False

    def insert(self, index: int, value: PtpIpCmdRequest) -> None:
        if not isinstance(value, PtpIpCmdRequest):
            raise TypeError(f"only a PtpIpCmdRequest can be queued, not {type(value).__name__}")
        value.begin()
        if self.closed:
            value.finish(_closed())
        else:
            super().insert(index, value)

    def close(self) -> None:
        """Cancel all waiting requests and wake the thread that takes them."""
        with self.changed:
            self.closed = True
            while self:
                self.pop().finish(_closed())
            self.changed.notify_all()


def _closed() -> Cancelled:
    return Cancelled("the connection was closed before this command was sent")
