"""Packets and datasets of Fujifilm's bodies; the first byte says which parser reads the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ptpfast.engine.wire import Event
from ptpfast.vendors.fujifilm import datasets, packets, texts

from .first_byte import choosing


def _news(body: bytes) -> None:
    news = datasets.parse_news(body)
    assert 6 * len(news) <= len(body)
    assert not news or datasets.pack_news(news) == body[: 2 + 6 * len(news)]


def _descriptions(body: bytes) -> None:
    found = datasets.parse_descriptions(body)
    assert datasets.parse_descriptions(datasets.pack_descriptions(found)) == found


def _number(body: bytes) -> None:
    number = datasets.parse_number(body)
    assert number == (int.from_bytes(body, "little") if body else None)


def _event(body: bytes) -> None:
    event = packets.parse_event(body)
    if event is not None:
        told = Event(event.code, event.transaction_id, (*event.parameters[:1], 0)[:1])
        assert packets.parse_event(packets.pack_event(told)) == told


def _hello(body: bytes) -> None:
    packets.refusal_of(body)
    hello = packets.parse_hello(body)
    assert len(hello.guid) == 16
    assert "\0" not in hello.name


def _frame(body: bytes) -> None:
    picture = packets.picture_of(body)
    assert picture.startswith(b"\xff\xd8")
    assert packets.picture_of(packets.pack_frame(1, picture)[4:]) == picture


def _text(body: bytes) -> None:
    text = texts.parse_text(body)
    assert "HTTP/1." in text.first
    assert all(":" not in name for name in text.fields)


_READS: tuple[Callable[[bytes], None], ...] = (
    _news,
    _descriptions,
    _number,
    _event,
    _hello,
    _frame,
    _text,
)
PYTHON: tuple[Callable[..., Any], ...] = (
    datasets.parse_news,
    datasets.parse_descriptions,
    packets.parse_event,
    packets.parse_hello,
    texts.parse_text,
)


answers = choosing(_READS)


def seeds() -> list[bytes]:
    """Return one of each kind, and a cut one."""
    bodies = (
        datasets.pack_news([(0xDF00, 6), (0xD222, 123)]),
        bytes.fromhex("0100000016000000125004000100000000020300000002000400"),
        b"\x06\0",
        packets.pack_event(Event(0xC004, 6, (0,))),
        packets.pack_hello(bytes(range(16)), "studio"),
        packets.pack_frame(1, b"\xff\xd8\xff\xd9")[4:],
        texts.discover("*", "10.0.0.7"),
    )
    whole = [bytes([number]) + body for number, body in enumerate(bodies)]
    return whole + [each[: len(each) // 2] for each in whole]
