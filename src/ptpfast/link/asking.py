"""Repeat a request after lost connections, up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..ptp.errors import ProtocolError, PTPError
from ..ptp.scope import Scope, scope_of
from .link import Link

T = TypeVar("T")


def has_ended(link: Link, error: PTPError) -> bool:
    """Return whether this error has ended the session. A malformed dataset does not."""
    if isinstance(error, ProtocolError) and link.usable:
        return False
    return scope_of(error) is Scope.CONNECTION


def attempt(link: Link, operation: int, about: int, work: Callable[[], T]) -> T:
    """Run `work` again after each lost connection, until the object is the cause.

    Args:
        link: the session.
        operation: the operation that `work` asks for.
        about: the object, folder or storage that it is about.
        work: makes the request.

    Raises:
        Unreadable: the connection breaks at this request every time; see `Losses`.
        PTPError: as `work` raises.
    """
    while True:
        if (aside := link.losses.set_aside(operation, about)) is not None:
            raise aside
        try:
            done = work()
        except PTPError as error:
            if not has_ended(link, error):
                raise
            link.losses.add(operation, about, error)
        else:
            link.losses.answered(operation, about)
            return done
