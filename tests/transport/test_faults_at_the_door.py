"""Faults around the data: at the door, in what a camera says of itself, in events, probes, what is
sent to it, and what it does when nobody asks.

Which fault of which camera each is, and what else shows it, is in docs/faults.md.
"""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ptpfast
from conftest import HASTY, PATIENT, Cameras, Sessions, without_pauses
from outcomes import AGAIN, UNSEEN, assert_right, outcome, pull
from ptpfast import (
    ConnectFailed,
    ConnectionLost,
    EventCode,
    OperationCode,
    ResponseError,
    Timeout,
    Timeouts,
)
from ptpfast.engine import wire as wire
from ptpfast.engine.wire import (
    Data,
    EndData,
    InitCommandAck,
    InitEventAck,
    ProbeRequest,
    StartData,
    pack,
)
from ptpfast.library.report.observer import Observer
from ptpfast.link.pipelining import Request
from ptpfast.ptp.datasets import ObjectInfoDataset, encode
from ptpfast.session import persistence
from ptpfast.transport import handshake as handshake_module
from ptpfast.vendors import STANDARD, named
from raw_responder import Responder, Send, device_info, payload, response

VERSION = b"\0\0\1\0"
NO_TRANSACTION = 0xFFFFFFFF


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


def connect_to(responder: Responder, timeouts: Timeouts = PATIENT) -> ptpfast.Session:
    return ptpfast.connect(responder.host, port=responder.port, timeouts=timeouts, vendor=STANDARD)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


# At the door


# What follows the GUID in Init Command Ack → the name it says.
NAMES: dict[str, tuple[bytes, str]] = {
    "a nickname with a brace": (utf16("EOST6{\0") + VERSION, "EOST6{"),
    "without version": (utf16("EOST6{\0"), "EOST6{"),
    "padded to a fixed size": (utf16("X-T4\0").ljust(40, b"\0"), "X-T4"),
    "an odd number of bytes": (utf16("CAM\0") + b"\0", "CAM"),
    "half a unit instead of an end": (utf16("CAM") + b"{", "CAM"),
    "without an end": (utf16("CAM"), "CAM"),
    "no byte at all": (b"", ""),
    "an end alone": (b"\0\0" + VERSION, ""),
    "longer than any": (utf16("n" * 255 + "\0") + VERSION, "n" * 255),
    "half a character": (b"C\0\x3d\xd8\0\0" + VERSION, "C\ufffd"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_an_odd_name_in_the_init_ack_is_taken_as_far_as_it_goes(kind: str) -> None:
    raw, name = NAMES[kind]
    number, guid = (7).to_bytes(4, "little"), bytes(range(16))
    packet = (28 + len(raw)).to_bytes(4, "little") + b"\2\0\0\0" + number + guid + raw
    asked: list[int] = []

    def event(request: Any, send: Send) -> None:
        asked.append(request.connection_number)
        send(pack(InitEventAck()))

    with (
        Responder(init=lambda _, send: send(packet), event=event) as responder,
        connect_to(responder) as session,
    ):
        assert session.link.connection.name == name
        assert session.link.connection.guid == guid
        assert session.storage_ids() == []
    assert asked == [7]


class LateResponder(Responder):
    """Stops listening before it answers Init, until its Initiator has tried three times."""

    def __init__(self) -> None:
        self.naps = 0
        super().__init__(init=self._shut_the_door)

    def _shut_the_door(self, request: object, send: Send) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # which accepted
        self._listener.close()
        send(pack(InitCommandAck(1, bytes(16), "THETA", 0x10000)))

    def nap(self, seconds: float) -> None:
        """In the place of the Initiator's pause between two tries."""
        self.naps += 1
        if self.naps == 3:
            self._listener = socket.create_server((self.host, self.port))
            self._threads.append(threading.Thread(target=self._accept, daemon=True))
            self._threads[-1].start()


def test_an_event_connection_that_is_refused_at_first_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LateResponder() as responder:
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=responder.nap)
        monkeypatch.setattr(handshake_module, "time", clock)
        with connect_to(responder) as session:
            assert session.link.connection.name == "THETA"
            assert session.storage_ids() == []
    assert responder.naps == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("init_silence", "does not answer"),
        ("event_silence", "answered at .* and then stopped answering"),
        ("init_drop", "closed the connection"),
    ],
)
def test_a_camera_that_does_not_let_us_in_is_no_hang_and_may_the_next_time(
    camera: Cameras, connect: Sessions, fault: str, said: str
) -> None:
    sim = camera(faults=[fault])
    with pytest.raises(ConnectFailed, match=said):
        connect(sim, timeouts=HASTY)
    assert connect(sim).storage_ids()


# What a camera says of itself


STRINGS = ("manufacturer", "model", "device_version", "serial_number")


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_a_device_info_may_end_before_its_last_strings(missing: int) -> None:
    said = dict(zip(STRINGS[: 4 - missing], ("Maker", "M1", "1.00"), strict=False))
    raw = encode(device_info(**said))[:-missing]  # each that is empty is one byte
    with (
        Responder(GetDeviceInfo=payload(raw)) as responder,
        connect_to(responder) as session,
    ):
        info = session.device_info
        assert [getattr(info, name) for name in STRINGS] == [said.get(n, "") for n in STRINGS]
        assert session.supports(OperationCode.GetPartialObject)
        assert session.storage_ids() == []


def test_strings_of_a_device_info_end_at_their_first_nul() -> None:
    raw = encode(device_info(manufacturer="Nikon\0\0", model="D5300\0junk", serial_number="42\0\0"))
    with Responder(GetDeviceInfo=payload(raw)) as responder, connect_to(responder) as session:
        assert session.device_info.body == "Nikon D5300 42"


def test_a_card_is_fetched_from_a_camera_that_says_nothing_of_itself(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=3, faults=["empty_data on GetDeviceInfo times 0"])
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)
    assert not sim.operations[OperationCode.GetPartialObject]  # which nobody has offered


@pytest.mark.parametrize("extension", [6, 0xFFFFFFFF])
@pytest.mark.parametrize(("maker", "vendor"), [("Nikon Corporation", "nikon"), ("X", "standard")])
def test_a_vendor_is_known_by_its_name_whatever_extension_it_claims(
    maker: str, vendor: str, extension: int
) -> None:
    info = device_info(manufacturer=maker, vendor_extension_id=extension)
    with (
        Responder(GetDeviceInfo=payload(encode(info))) as responder,
        ptpfast.connect(responder.host, port=responder.port, timeouts=PATIENT) as session,
    ):
        assert session.vendor is named(vendor)
        assert session.storage_ids() == []
        session.link.vendor = without_pauses(session.vendor)


@pytest.mark.parametrize("extension", [6, 0xFFFFFFFF])
def test_a_card_is_fetched_whatever_extension_the_camera_claims(
    camera: Cameras, tmp_path: Path, extension: int
) -> None:
    nikon = named("nikon")
    model = dataclasses.replace(nikon.model, vendor_extension_id=extension)
    sim = camera(dataclasses.replace(nikon, body=model))
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)


# Events and probes


class Reporter(Responder):
    """Keeps both connections' `send`; `probed` is set by the answer to a Probe Request."""

    def __init__(self, **answers: Any) -> None:
        self.command: Send
        self.event: Send
        self.probed = threading.Event()
        super().__init__(init=self._welcome, event=self._begin, **answers)

    def _welcome(self, request: object, send: Send) -> None:
        self.command = send
        send(pack(InitCommandAck(1, bytes(16), "CAM", 0x10000)))

    def _begin(self, request: object, send: Send) -> None:
        self.event = send
        send(pack(InitEventAck()))

    def _answer(self, packet: Any, send: Send) -> None:
        if isinstance(packet, wire.ProbeResponse):
            self.probed.set()
        else:
            super()._answer(packet, send)


def test_an_event_is_told_while_data_is_on_its_way() -> None:
    told = threading.Event()
    in_time: list[bool] = []
    heard: list[ptpfast.Event] = []

    def slow(request: Any, send: Send) -> None:
        send(
            pack(StartData(request.transaction_id, 6)) + pack(Data(request.transaction_id, b"abc"))
        )
        responder.event(pack(wire.Event(EventCode.ObjectAdded, NO_TRANSACTION, (7,))))
        in_time.append(told.wait(10))
        send(pack(EndData(request.transaction_id, b"def")) + response(request))

    with Reporter(GetThumb=slow) as responder, connect_to(responder) as session:

        def listen() -> None:
            heard.append(next(session.events(timeout=10)))
            told.set()

        thread = threading.Thread(target=listen)
        thread.start()
        assert session.thumbnail(7) == b"abcdef"
        thread.join()
    assert in_time == [True]
    assert [(event.code, event.parameters) for event in heard] == [(EventCode.ObjectAdded, (7,))]


def test_events_that_come_before_the_response_are_told() -> None:
    read: list[object] = []

    def shutter(request: Any, send: Send) -> None:
        responder.event(pack(wire.Event(EventCode.ObjectAdded, request.transaction_id, (7,))))
        responder.event(pack(wire.Event(EventCode.CaptureComplete, request.transaction_id)))
        # They have been read when the response leaves.
        read.extend(early.get(10) for _ in range(2))
        send(response(request))

    described = payload(encode(ObjectInfoDataset(storage_id=0x10001, filename="A.NEF")))
    with (
        Reporter(InitiateCapture=shutter, GetObjectInfo=described) as responder,
        connect_to(responder) as session,
    ):
        early = session.link.hub.subscribe()
        info = session.capture()
        assert info is not None
        assert (info.handle, info.name) == (7, "A.NEF")
    assert None not in read


@pytest.mark.parametrize("fault", ["event_on_command", "event_burst=300"])
def test_each_event_that_comes_amid_the_data_is_told(
    camera: Cameras, connect: Sessions, fault: str
) -> None:
    sim = camera(faults=[f"{fault} on GetObject after 60000"])
    session = connect(sim)
    info = session.objects()[0]
    session.link.transact(Request(OperationCode.GetObject, (info.handle,)))
    events = session.events(timeout=10)
    codes = [next(events).code for _ in range(300 if "burst" in fault else 1)]
    assert set(codes) == {EventCode.UnreportedStatus}


@pytest.mark.parametrize("where", ["event", "command"])
def test_a_probe_of_an_idle_session_is_answered(where: str) -> None:
    with Reporter() as responder, connect_to(responder) as session:
        assert session.storage_ids() == []
        getattr(responder, where)(pack(ProbeRequest()))
        if where == "command":
            # Nobody reads that connection before the next operation.
            assert session.storage_ids() == []
        assert responder.probed.wait(10)
        assert session.storage_ids() == []


def test_a_session_goes_on_without_its_event_connection(camera: Cameras, connect: Sessions) -> None:
    sim = camera(faults=["drop_event on GetStorageIDs"])
    session = connect(sim)
    assert len(session.objects()) == 4
    assert list(session.events(timeout=10)) == []  # at once: no more can come
    assert session.storage_ids()


# What is sent to a camera


def test_a_camera_that_takes_no_more_of_what_is_sent_is_a_timeout_that_says_so() -> None:
    over = threading.Event()
    with (
        Responder(SetDevicePropValue=lambda *_: over.wait(20)) as responder,
        connect_to(responder, HASTY) as session,
    ):
        larger_than_any_buffer = bytes(64 << 20)
        with pytest.raises(Timeout, match=r"setting property 0x5011: the camera takes no more"):
            session.link.command(
                OperationCode.SetDevicePropValue, 0x5011, data=larger_than_any_buffer
            )
        assert not session.usable
        with pytest.raises(ConnectionLost):
            session.storage_ids()
        session.close()
        over.set()
        with connect_to(responder) as another:
            assert another.storage_ids() == []


def test_a_camera_that_hangs_over_what_was_sent_is_a_timeout_and_heard_out_later() -> None:
    over = threading.Event()

    def hang(request: Any, send: Send) -> None:
        over.wait(20)
        send(response(request, ptpfast.ResponseCode.DeviceBusy))

    with (
        Responder(SetDevicePropValue=hang) as responder,
        connect_to(responder, HASTY) as session,
    ):
        with pytest.raises(Timeout, match=r"setting property 0x5011: nothing"):
            session.link.command(OperationCode.SetDevicePropValue, 0x5011, data=b"\1\0\0")
        over.set()
        session.link.connection.timeouts = PATIENT
        assert session.storage_ids() == []  # not taken for DeviceBusy
        assert session.usable


# When nobody asks, and when it has just been asked for much


@pytest.mark.parametrize("reset", [False, True])
def test_a_camera_that_goes_to_sleep_between_operations_is_a_lost_connection(
    camera: Cameras, connect: Sessions, reset: bool
) -> None:
    sim = camera()
    session = connect(sim)
    expected = session.storage_ids()
    sim.drop_connections(reset=reset)
    assert sim.wait_for(lambda: not sim.serving, timeout=10)  # both are closed
    assert list(session.events(timeout=10)) == []  # at once
    with pytest.raises(ConnectionLost):
        session.storage_ids()
    assert not session.usable
    session.reconnect()
    assert session.storage_ids() == expected


def test_a_camera_that_goes_to_sleep_between_objects_is_connected_to_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera()

    class Sleep(Observer):
        begun = 0

        def started(self, *_: object) -> None:
            self.begun += 1
            if self.begun == 2:
                sim.drop_connections()

    assert outcome(pull(sim, tmp_path, observer=Sleep())) == AGAIN
    assert_right(sim, tmp_path)


def test_a_camera_that_says_so_when_it_goes_to_sleep_can_be_connected_to_again(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["sleep on GetStorageIDs at 2"])
    session = connect(sim)
    assert session.storage_ids()
    with pytest.raises(ResponseError, match="StoreNotAvailable"):
        session.storage_ids()
    with pytest.raises(ConnectionLost):
        session.storage_ids()
    session.reconnect()
    assert len(session.objects()) == 4


def test_a_camera_that_is_slow_after_a_capture_is_waited_for(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(delay_s=0.05, faults=["delay=1 on GetObjectInfo"])
    session = connect(sim)
    info = session.capture()
    assert info is not None
    assert session.read(info) == b"".join(sim.store.expected(info.handle).spans(0, info.size or 0))
