"""The fixtures: cameras that are closed when the test ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from ..sim import SimulatedCamera

# A small card is enough for most tests, and is fetched in milliseconds.
OBJECTS = 4
SIZE = 300_000
# Each strikes so many times and then no more: who tries again gets everything.
FLAKY = (
    "busy on GetObjectInfo at 2 times 2",
    "drop on GetObjectInfo at 5",
    "drop after-total 400000",
    "reset on GetPartialObject after 1000 at 4",
)


class MakeCamera(Protocol):
    """The type of the fixture `make_camera`."""

    def __call__(self, **options: Any) -> SimulatedCamera:
        """Start a camera with the keyword arguments of `SimulatedCamera`."""


@pytest.fixture
def make_camera() -> Iterator[MakeCamera]:
    """Return a function that starts cameras; they are closed when the test ends.

    Its keyword arguments are those of `ptpfast.sim.SimulatedCamera`: among others `body` (a name of
    `BODIES`), `store` (a card, see `Store.synthetic`), `objects` and `size` of a synthetic card,
    `link` (a `Link` or a name of `LINKS`), and `faults`.

    Example:
        def test_import_over_an_old_link(make_camera, tmp_path):
            camera = make_camera(link="dslr-11g", objects=2, size=1_000_000)
    """
    with ExitStack() as stack:

        def make(**options: Any) -> SimulatedCamera:
            if not options.keys() & {"store", "folder"}:
                options = {"objects": OBJECTS, "size": SIZE} | options
            return stack.enter_context(SimulatedCamera(**options))

        yield make


@pytest.fixture
def camera(make_camera: MakeCamera) -> SimulatedCamera:
    """Start a camera that follows the standard, with four pictures of 300,000 bytes."""
    return make_camera()


@pytest.fixture
def flaky_camera(make_camera: MakeCamera) -> SimulatedCamera:
    """Start the same camera with the faults of `FLAKY`.

    The camera is busy twice and loses the connection three times, in the list and within a picture.
    After that it works. A program that retries gets every byte.
    """
    return make_camera(faults=FLAKY)
