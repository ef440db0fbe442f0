"""The hub of events: each once, and nothing kept that no one needs."""

from __future__ import annotations

import pytest

from clocks import Clock
from ptpfast import EventCode
from ptpfast.link import events
from ptpfast.link.events import SAME_EVENT_S, Event, EventHub, Source


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(events, "time", clock)
    return clock


def added(handle: int, source: Source = Source.CONNECTION) -> Event:
    return Event(EventCode.ObjectAdded, (handle,), source=source)


def test_hub_forgets_reports_that_no_source_repeats(clock: Clock) -> None:
    hub = EventHub()
    for handle in range(1000):
        hub.publish(added(handle))
        clock.now += SAME_EVENT_S / 10
    assert len(hub._reported) == 10


def test_second_source_repeats_nothing_beside_old_reports(clock: Clock) -> None:
    hub = EventHub()
    subscription = hub.subscribe()
    for handle in (1, 2):
        hub.publish(added(handle))
        clock.now += 0.6 * SAME_EVENT_S
    for handle in (1, 2):  # the first is so old that it is another event
        hub.publish(added(handle, Source.POLL))
    taken = []
    while (event := subscription.get(0)) is not None:
        taken.append((event.parameters[0], event.source))
    assert taken == [(1, Source.CONNECTION), (2, Source.CONNECTION), (1, Source.POLL)]


def test_many_reports_at_once_are_limited(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "QUEUE_SIZE", 20)
    hub = EventHub()
    for handle in range(100):
        hub.publish(added(handle))
    assert len(hub._reported) == 20
    newest = hub.subscribe()
    hub.publish(added(99, Source.POLL))
    assert newest.get(0) is None


def test_dropped_subscription_keeps_no_event_and_can_be_closed() -> None:
    hub = EventHub()
    dropped = hub.subscribe()
    hub.drop_subscriptions()
    hub.publish(added(1))
    assert dropped.is_empty
    dropped.close()
    assert hub.subscriptions == []
