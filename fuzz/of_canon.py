"""The parsers of Canon EOS bodies: records, listings, settings, frames, and the state they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from ptpfast.engine.wire import Builder
from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.canon import datasets, properties, records
from ptpfast.vendors.canon.codes import CanonEvent
from ptpfast.vendors.canon.news import News

from .first_byte import choosing

_WORD = 0xFFFFFFFF
_LONGEST = 127  # characters of a name that can be sent again: 254 units


def _exact(data: bytes) -> Any:
    return numpy.frombuffer(data, numpy.uint8).copy()


def _records(body: bytes) -> None:
    """A list of records: what is read of it encodes back, and makes events and properties."""
    found: list[records.Record] = []
    try:
        for record in records.split_records(_exact(body)):
            found.append(record)  # noqa: PERF402 - those before an error count
    except ProtocolError as error:
        assert error.message
    encoded = records.join_records(found, ends=False)
    assert body.startswith(encoded)
    assert sum(8 + len(record.data) for record in found) == len(encoded) <= len(body)
    news = News()
    for record in found:
        for code, parameters in news.take(record):
            assert 0 <= code <= _WORD
            assert all(0 <= parameter <= _WORD for parameter in parameters)
        _one(record)
    for code in news.properties.codes:
        desc = news.properties.desc(code)
        assert desc is not None
        assert type(desc.form or []) is list
        data, told = news.properties.setting(code, desc.current)
        again = properties.decode_value(code, told.data)
        assert again == desc.current or properties.type_of(code, told.data) != desc.data_type
        assert datasets.parse_setting(datasets.encode_setting(code, data)) == (code, data)


def _one(record: records.Record) -> None:
    """One record: the bytes that have a meaning come back."""
    try:
        if record.code in records.ADDED | records.CHANGED:
            item = records.parse_card_object(record)
            if len(item.name) > _LONGEST:
                return
            again = records.card_object_record(record.code, item)
            assert records.parse_card_object(again) == item
        elif record.code in records.REQUESTED:
            picture = records.parse_memory_object(record)
            if len(picture.name) > _LONGEST:
                return
            again = records.memory_object_record(record.code, picture)
            assert records.parse_memory_object(again) == picture
        elif record.code == CanonEvent.PropValueChanged:
            assert records.value_record(records.parse_value(record)) == record
        elif record.code == CanonEvent.AvailListChanged:
            choices = records.parse_choices(record)
            assert records.choices_record(choices) == record
            values = properties.split_choices(choices)
            assert values is None or b"".join(values) == choices.data
    except ProtocolError as error:
        assert error.message


def _listing(body: bytes) -> None:
    found, error = datasets.parse_entries(_exact(body))
    assert error is None or error.message
    assert len(found) * datasets.ENTRY <= len(body)
    wanted = {item.handle for item in found}
    for handle, (info, size) in datasets.parse_listing(_exact(body), wanted).items():
        assert handle in wanted
        assert 0 <= size < 1 << 64
        assert info.object_compressed_size == min(size, _WORD)


def _extended_info(body: bytes) -> None:
    info = datasets.parse_extended_info(_exact(body))
    assert datasets.parse_extended_info(datasets.encode_extended_info(info)) == info


def _setting(body: bytes) -> None:
    assert datasets.encode_setting(*datasets.parse_setting(_exact(body))) == body


def _frame(body: bytes) -> None:
    frame = datasets.parse_frame(_exact(body))
    assert frame is None or frame in body


_PARSERS: tuple[Callable[[bytes], None], ...] = (
    _records,
    _listing,
    _extended_info,
    _setting,
    _frame,
)


eos = choosing(_PARSERS)


def seeds() -> list[bytes]:
    """One well-formed input for each parser, with every kind of record."""
    name, time = "IMG_0001.CR3", 1_700_000_000
    item = records.CardObject(7, 0x10001, 0xB108, 0, 0x20, 1000, 3, 6, name, time)
    picture = records.MemoryObject(9, 0xB108, 1000, 8, name, (0, 6))
    value = records.Value(0xD103, (0x68).to_bytes(4, "little"))
    formats = bytes.fromhex("01000000100000000100000000000000 03000000")
    lists = [
        *(records.card_object_record(code, item) for code in sorted(records.ADDED)),
        *(records.memory_object_record(code, picture) for code in sorted(records.REQUESTED)),
        records.number_record(CanonEvent.CameraStatusChanged, 1),
        records.value_record(value),
        records.value_record(records.Value(0xD115, b"Jo\0")),
        records.choices_record(records.Choices(0xD103, 3, 2, value.data * 2)),
        records.choices_record(records.Choices(0xD120, 3, 1, formats)),
        records.button_record(4),
        records.number_record(0xC1F6, 3),
    ]
    builder = Builder()
    for codes in ([0xC181], [0xD103, 0xD11C], [0]):
        builder.array(codes, "u32")
    info = datasets.parse_extended_info(bytes(4) + bytes(builder))
    inputs = [
        *(records.join_records([record]) for record in lists),
        datasets.encode_entries([item, item]),
        datasets.encode_extended_info(info),
        datasets.encode_setting(0xD11C, value.data),
        datasets.encode_frame(b"\xff\xd8\xff\xd9"),
    ]
    chosen = [0] * len(lists) + [1, 2, 3, 4]
    whole = b"\0" + records.join_records(lists)
    return [whole, *(bytes([which]) + raw for which, raw in zip(chosen, inputs, strict=True))]


PYTHON = (
    records.split_records,
    records.read_card_object,
    records.parse_memory_object,
    datasets.parse_entries,
    datasets.parse_frame,
    properties.type_of,
    properties.split_choices,
    News.take,
)
