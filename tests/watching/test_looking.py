"""How often a watch polls a camera that reports events only when it is asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from clocks import Clock
from conftest import Cameras, Sessions
from ptpfast import EventCode
from ptpfast.library.plan.news import News
from ptpfast.link.events import Event
from ptpfast.vendors import named
from ptpfast.watching import looking
from ptpfast.watching.cards import Cards
from ptpfast.watching.looking import Looking
from ptpfast.watching.reported import Reported


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(looking, "time", clock)
    return clock


def looking_at(session: object, subscription: object = None) -> Looking:
    reported = Reported(News(lambda progress: None), subscription)  # type: ignore[arg-type, return-value]
    return Looking(session, Cards(session), reported)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("vendor", "after_s"),
    [
        ("nikon", {0: 0.05, 1: 0.05, 4: 0.2, 8: 0.4, 10: 0.5, 3600: 0.5}),
        ("canon", {0: 0.05, 1: 0.05, 2: 0.1, 3600: 0.1}),
        ("standard", {0: 0.5, 3600: 0.5}),
    ],
)
def test_polls_are_rarer_the_longer_nothing_is_reported(
    clock: Clock, vendor: str, after_s: dict[int, float]
) -> None:
    dialect = SimpleNamespace(quirks=named(vendor).quirks)
    looks = looking_at(SimpleNamespace(link=SimpleNamespace(dialect=dialect)))
    for _ in range(2):
        looks.stir()
        began = clock.now
        for quiet_s, poll_s in after_s.items():
            clock.now = began + quiet_s
            assert looks.poll_s == pytest.approx(poll_s)


def test_camera_is_polled_once_for_each_wait(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(camera(named("nikon"), objects=1))
    subscription = session.link.hub.subscribe()
    looks = looking_at(session, subscription)
    polls: list[int] = []
    waits: list[float | None] = []

    def poll() -> int:
        polls.append(len(waits))
        return 0

    def get(timeout: float | None = None) -> Event | None:
        waits.append(timeout)
        return None

    monkeypatch.setattr(session.link, "poll", poll)
    monkeypatch.setattr(subscription, "get", get)
    for _ in range(3):
        assert looks.hear(subscription, 30.0) is None
    assert polls == [1, 3, 5]
    assert waits[::2] == [0, 0, 0]
    assert all(wait is not None and 0 < wait <= 0.5 for wait in waits[1::2])


def test_an_event_that_is_here_is_taken_without_a_poll(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(camera(named("nikon"), objects=1))
    subscription = session.link.hub.subscribe()
    looks = looking_at(session, subscription)
    event = Event(EventCode.ObjectAdded, (7,))
    session.link.hub.publish(event)
    monkeypatch.setattr(session.link, "poll", lambda: pytest.fail("polled"))
    assert looks.hear(subscription, 30.0) == event


def test_what_a_poll_brings_is_returned_at_once(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(named("nikon"), objects=1)
    session = connect(sim)
    subscription = session.link.hub.subscribe()
    looks = looking_at(session, subscription)
    handles = sim.capture()
    event = looks.hear(subscription, 30.0)
    assert event is not None
    assert (event.code, event.parameters[0]) == (EventCode.ObjectAdded, handles[0])
