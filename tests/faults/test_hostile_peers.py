"""A peer that means harm: answers that never end, counts that are lies, far more than was asked."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

import ptpfast
from conftest import HASTY, Sessions
from ptpfast import MemorySink, ProtocolError, Timeout, Timeouts
from ptpfast.engine import wire as wire
from ptpfast.engine.wire import (
    Data,
    EndData,
    InitEventAck,
    OperationRequest,
    ProbeRequest,
    ProbeResponse,
    StartData,
    pack,
)
from ptpfast.link.events import QUEUE_SIZE, Event, EventHub
from ptpfast.link.pipelining import Request
from ptpfast.listing.folders import MAX_DEPTH, MAX_PATH
from ptpfast.listing.listing import MAX_HANDLES
from ptpfast.ptp.codes import ObjectFormat, OperationCode
from ptpfast.ptp.datasets import ObjectInfoDataset, encode, encode_array
from ptpfast.ptpip import PtpIpConnection
from ptpfast.vendors import STANDARD, Quirks
from ptpfast.vendors.nikon.codes import NikonOperation
from ptpfast.vendors.nikon.dialect import NikonDialect
from raw_responder import Responder, Send, data, device_info, for_ever, payload, response

EVENT = pack(wire.Event(0x4002, 0, (1,)))


def connect(responder: Responder, timeouts: Timeouts = HASTY) -> ptpfast.Session:
    return ptpfast.connect(responder.host, port=responder.port, timeouts=timeouts, vendor=STANDARD)


def peak_of(work: Callable[[], object]) -> int:
    """Bytes of Python's memory that some work needed at its worst."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Answers that never end


ENDLESS: dict[str, Callable[[OperationRequest], bytes]] = {
    "probes": lambda request: pack(ProbeRequest()),
    "answers to probes": lambda request: pack(ProbeResponse()),
    "events": lambda request: EVENT,
    "packets of unknown type": lambda request: bytes.fromhex("0800000063000000"),
    "an old transaction's data": lambda request: pack(Data(request.transaction_id - 1, bytes(500))),
    "an old transaction's end": lambda request: pack(EndData(request.transaction_id - 1, b"")),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_flood_of_what_is_no_answer_is_a_timeout(kind: str) -> None:
    with (
        Responder(GetStorageIDs=for_ever(ENDLESS[kind])) as responder,
        connect(responder) as session,
        pytest.raises(Timeout),
    ):
        session.storage_ids()


@pytest.mark.parametrize("kind", ["probes", "events", "answers to probes"])
@pytest.mark.parametrize("connection", ["init", "event"])
def test_a_flood_instead_of_an_acknowledgement_ends_the_handshake(
    connection: str, kind: str
) -> None:
    flood: Any = {connection: for_ever(ENDLESS[kind])}
    with Responder(**flood) as responder, pytest.raises(ptpfast.ConnectFailed):
        connect(responder)


def test_a_flood_of_events_in_the_place_of_a_probe_s_answer_does_not_hinder() -> None:
    def event(request: object, send: Send) -> None:
        send(pack(InitEventAck()))
        while True:
            send(EVENT * 100)

    with Responder(event=event) as responder, connect(responder) as session:
        assert session.storage_ids() == []


@pytest.mark.parametrize("operation", ["OpenSession", "CloseSession", "DeleteObject"])
def test_data_without_end_where_none_belongs_does_not_hold_us(operation: str) -> None:
    endless: Any = {operation: for_ever(lambda request: pack(Data(request.transaction_id, b"x")))}

    def use(responder: Responder) -> None:
        with connect(responder) as session:
            session.delete(1)

    with Responder(**endless) as responder:
        if operation == "CloseSession":
            use(responder)
        else:
            with pytest.raises((ProtocolError, Timeout)):
                use(responder)


def test_an_answer_a_byte_at_a_time_is_given_up_and_closing_does_not_wait_for_it() -> None:
    over = threading.Event()

    def drip(request: OperationRequest, send: Send) -> None:
        send(pack(StartData(request.transaction_id, 1_000_000)))
        while not over.wait(0.05):
            send(pack(Data(request.transaction_id, b"x")))

    hasty = Timeouts(connect=5, operation=1.5, idle=5, close=0.3)
    with Responder(GetThumb=drip, CloseSession=drip) as responder:
        session = connect(responder, hasty)
        with pytest.raises(Timeout, match="too slow"):
            session.thumbnail(1)
        session.close()
        over.set()
        other = connect(responder, hasty)
        over.clear()
        other.close()  # CloseSession itself drips
        over.set()


# Counts and sizes that are lies, and more than was asked for


def one_object(**fields: Any) -> dict[str, Any]:
    """A card with one object, described so."""
    described: dict[str, Any] = {"storage_id": 0x10001, "filename": "a.NEF"} | fields
    return {
        "GetStorageIDs": payload(encode_array([0x10001])),
        "GetObjectHandles": payload(encode_array([7])),
        "GetObjectInfo": payload(encode(ObjectInfoDataset(**described))),
    }


def cut_short(request: OperationRequest, send: Send) -> None:
    """Announces more than it sends, and answers OK."""
    send(pack(StartData(request.transaction_id, 1000)))
    send(pack(EndData(request.transaction_id, b"little")))
    send(response(request))


READS: dict[str, Callable[[ptpfast.Session], object]] = {
    "read": lambda session: session.read(7),
    "open": lambda session: session.open(7).read(),
    "stream": lambda session: [bytes(piece) for piece in session.stream(7)],
}


@pytest.mark.parametrize("how", READS)
def test_an_announced_size_allocates_nothing(how: str) -> None:
    card = one_object(object_compressed_size=0xFFFFFFF0)
    with (
        Responder(**card, GetPartialObject=cut_short, GetObject=cut_short) as responder,
        connect(responder) as session,
    ):

        def read() -> None:
            with pytest.raises(ptpfast.PTPError):
                READS[how](session)

        assert peak_of(read) < 8 << 20


TOO_MANY = {
    "storages": {"GetStorageIDs": payload(encode_array(list(range(5000))))},
    "objects": {
        "GetStorageIDs": payload(encode_array([0x10001])),
        "GetObjectHandles": payload(
            (MAX_HANDLES + 1).to_bytes(4, "little") + bytes(4 * (MAX_HANDLES + 1))
        ),
    },
    "bytes of a description": one_object() | {"GetObjectInfo": payload(bytes(1 << 20))},
}


@pytest.mark.parametrize("kind", TOO_MANY)
def test_more_than_any_camera_has_is_a_protocol_error(kind: str) -> None:
    with (
        Responder(**TOO_MANY[kind]) as responder,
        connect(responder) as session,
        pytest.raises(ProtocolError),
    ):
        session.objects()


def test_objects_of_several_storages_are_counted_together(monkeypatch: Any) -> None:
    monkeypatch.setattr("ptpfast.listing.listing.MAX_HANDLES", 5)
    handles = iter([[1, 2, 3], [4, 5, 6]])
    card: dict[str, Any] = {
        "GetStorageIDs": payload(encode_array([0x10001, 0x20001])),
        "GetObjectHandles": lambda request, send: send(data(request, encode_array(next(handles)))),
    }
    with (
        Responder(**card) as responder,
        connect(responder) as session,
        pytest.raises(ProtocolError, match="more than 5 objects"),
    ):
        session.handles()


def test_a_storage_that_is_listed_twice_is_asked_once() -> None:
    asked: list[int] = []

    def handles(request: OperationRequest, send: Send) -> None:
        asked.append(request.parameters[0])
        send(data(request, encode_array([])))

    card: Any = {"GetStorageIDs": payload(encode_array([0x10001] * 900))}
    with Responder(**card, GetObjectHandles=handles) as responder, connect(responder) as session:
        session.objects()
    assert asked == [0x10001]


def test_paths_do_not_grow_with_the_names_of_folders_in_folders() -> None:
    def describe(request: OperationRequest, send: Send) -> None:
        handle = request.parameters[0]
        folder = handle != 7
        info = ObjectInfoDataset(
            storage_id=0x10001,
            object_format=ObjectFormat.Association if folder else 0,
            parent_object=handle + 1,
            filename="n" * 254,
        )
        send(data(request, encode(info)))

    with (
        Responder(**(one_object() | {"GetObjectInfo": describe})) as responder,  # type: ignore[arg-type]
        connect(responder) as session,
    ):
        path = session.object_info(7).path
    assert len(path) <= MAX_PATH + 2 * 255
    assert path.count("/") <= MAX_DEPTH


def test_an_event_keeps_no_more_parameters_than_an_event_has() -> None:
    on_event_connection: list[Send] = []

    def event(request: object, send: Send) -> None:
        on_event_connection.append(send)
        send(pack(InitEventAck()))

    def report(request: OperationRequest, send: Send) -> None:
        on_event_connection[0](pack(wire.Event(0x4002, 0, tuple(range(16_000)))))
        send(response(request))

    with Responder(event=event, DeleteObject=report) as responder, connect(responder) as session:
        session.delete(1)
        assert next(session.events(timeout=5)).parameters == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("code", ["the same", "another"])
def test_events_without_end_are_kept_to_a_number(code: str) -> None:
    hub = EventHub()
    subscription = hub.subscribe()
    for number in range(3 * QUEUE_SIZE):
        hub.publish(Event(0x4002, (number if code == "another" else 1,)))
    assert len(subscription._queue) == QUEUE_SIZE
    assert sum(map(len, hub._reported.values())) <= QUEUE_SIZE


def test_the_seed_s_queue_of_events_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.ptpip.connection.QUEUE_SIZE", 3)
    connection, hub = PtpIpConnection(), EventHub()
    connection._subscribe(hub)
    for number in range(5):
        hub.publish(Event(0x4002, (number,)))
    assert [event.event_parameter for event in connection.event_queue] == [2, 3, 4]


def test_polled_events_beyond_reason_are_refused_before_they_are_read() -> None:
    endless = {"operations_supported": [NikonOperation.GetEventEx]}
    info = device_info(manufacturer="Nikon")
    info.operations_supported += endless["operations_supported"]

    class Camera:
        """Counts what it is asked for."""

        def supports(self, operation: int) -> bool:
            return operation in info.operations_supported

        def fetch(self, operation: int, *parameters: int, limit: int) -> bytes:
            self.limit = limit
            return b""

    camera = Camera()
    dialect = NikonDialect(camera, info, Quirks())  # type: ignore[arg-type]
    assert dialect.poll() == []
    assert camera.limit <= 1 << 20


def test_payload_of_any_operation_may_be_refused_by_its_size() -> None:
    with (
        Responder(GetThumb=payload(bytes(1000))) as responder,
        connect(responder) as session,
        pytest.raises(ProtocolError, match="1000 bytes are announced, 999 were asked for"),
    ):
        session.link.fetch(OperationCode.GetThumb, 7, limit=999)


def test_a_date_no_calendar_reaches_is_no_time_in_the_table() -> None:
    card = one_object(object_compressed_size=1, capture_date="00010101T000000+1400")
    with Responder(**card) as responder, connect(responder) as session:
        table = session.objects()
        assert str(table.captured[0]) == "NaT"
        assert table[0].captured is not None


def test_a_sink_is_given_nothing_beyond_what_was_asked_for(connect: Sessions) -> None:
    sink = MemorySink()
    with (
        Responder(GetThumb=payload(bytes(1000))) as responder,
        ptpfast.connect(responder.host, port=responder.port, timeouts=HASTY) as session,
        pytest.raises(ProtocolError),
    ):
        session.link.transact(Request(OperationCode.GetThumb, (7,), sink=sink, limit=10))
    assert sink.finish() == b""
