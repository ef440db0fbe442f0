"""Nikon: the generations of bodies, their events, and what each is asked."""

from __future__ import annotations

import pytest

from conftest import Cameras, Sessions
from ptpfast import vendors
from ptpfast.ptp.codes import EventCode, OperationCode
from ptpfast.ptp.datasets import DeviceInfo
from ptpfast.ptp.errors import StoreNotAvailable
from ptpfast.sim import Store
from ptpfast.vendors.nikon.codes import NikonOperation as Op
from ptpfast.vendors.nikon.generations import (
    OF_ALL_Z,
    PAIRING,
    Generation,
    awaits_approval,
    generation_of,
    is_nikon_1,
    may_be_asked,
)

Z_BODIES = ["nikon-z6", "nikon-z6-3", "nikon-z8", "nikon-z9"]
# What a Z 5 answers with a wireless error.
NEVER_OF_FIRST = (0x952B, 0x935A, 0x9435, 0x9439, 0x943A, 0x943B, 0x943C)


def info_of(body: str) -> DeviceInfo:
    model = vendors.with_body(body).model
    assert model.reported is not None
    return DeviceInfo(operations_supported=list(model.reported.operations), model=model.name)


@pytest.mark.parametrize(
    ("body", "generation"),
    [
        ("nikon-d5300", Generation.DSLR),
        ("nikon-d7200", Generation.DSLR),
        ("nikon-d850", Generation.DSLR),
        ("nikon-z6", Generation.FIRST_Z),
        ("nikon-z6-3", Generation.THIRD_Z),
        ("nikon-z8", Generation.THIRD_Z),
        ("nikon-z9", Generation.THIRD_Z),
    ],
)
def test_generation_is_told_by_the_listed_operations(body: str, generation: Generation) -> None:
    assert generation_of(info_of(body)) is generation


def test_second_generation_has_an_application_mode_and_no_wide_codes() -> None:
    listed = [*OF_ALL_Z, Op.ChangeApplicationMode]
    assert generation_of(DeviceInfo(operations_supported=listed)) is Generation.SECOND_Z


@pytest.mark.parametrize("model", ["Z 5", "Z 6", "Z 7", "Z 50"])
def test_name_decides_where_device_info_lists_nothing(model: str) -> None:
    assert generation_of(DeviceInfo(model=model)) is Generation.FIRST_Z
    assert generation_of(DeviceInfo(model="Z 8")) is Generation.DSLR


@pytest.mark.parametrize("operation", NEVER_OF_FIRST)
def test_first_generation_is_never_asked_for_what_it_does_not_know(operation: int) -> None:
    assert not may_be_asked(info_of("nikon-z6"), operation)
    assert may_be_asked(info_of("nikon-z9"), operation)


def test_body_that_lists_pairing_and_little_else_awaits_approval() -> None:
    basic = [0x1001, 0x1002, 0x1003]
    assert awaits_approval([*basic, *PAIRING])
    assert not awaits_approval(basic)
    assert not awaits_approval([*basic, *PAIRING, *OF_ALL_Z])
    assert not awaits_approval([*basic, Op.ConfirmPairing])


@pytest.mark.parametrize("body", [body for body in vendors.BODIES if body.startswith("nikon")])
def test_session_of_a_known_body_asks_nothing_that_it_does_not_list(
    camera: Cameras, connect: Sessions, body: str
) -> None:
    sim = camera(body=body)
    session = connect(sim, role="remote")
    session.objects()
    session.capture()
    listed = set(session.device_info.operations_supported)
    assert {entry.operation for entry in sim.log} <= listed


@pytest.mark.parametrize("model", ["V1", "J2", "NIKON 1 J4", "S1"])
def test_nikon_1_is_not_polled_with_the_operation_that_fails_there(
    camera: Cameras, connect: Sessions, model: str
) -> None:
    assert is_nikon_1(DeviceInfo(model=model))
    sim = camera("nikon")
    session = connect(sim)
    assert session.link.dialect.polls
    session.link.dialect.info.model = model
    assert not session.link.dialect.polls
    assert session.link.dialect.poll() == []


def test_events_of_the_camera_s_memory_are_those_of_the_standard(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim)
    sim.push_event(0xC101, 0x50)
    sim.push_event(0xC101, 0)
    sim.push_event(0xC102)
    sim.push_event(0xC10C)
    events = [(event.code, event.parameters) for event in session.events(timeout=0.5)]
    assert events[:3] == [
        (EventCode.ObjectAdded, (0x50,)),
        (EventCode.ObjectAdded, (0xFFFF0001,)),
        (EventCode.CaptureComplete, ()),
    ]
    assert events[3][0] == 0xC10C


@pytest.mark.parametrize("code", [0x2019, 0xA200, 0xA201, 0xA202, 0xA207])
def test_nikon_s_own_busy_codes_mean_retry_later(
    camera: Cameras, connect: Sessions, code: int
) -> None:
    session = connect(camera("nikon"))
    assert session.link.dialect.is_busy(code)
    assert not session.link.dialect.is_busy(0xA004)


# The application mode


def test_card_that_a_left_application_mode_hides_is_shown_again(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z6", objects=3, size=100)
    sim.body.properties[0xD1F0].current = 1
    session = connect(sim)
    assert len(session.objects()) == 3
    assert sim.body.properties[0xD1F0].current == 0


@pytest.mark.parametrize("body", ["nikon-z6", "nikon-z9", "nikon-d5300"])
def test_body_without_a_card_is_not_switched_to_another_mode(
    camera: Cameras, connect: Sessions, body: str
) -> None:
    sim = camera(body=body, store=Store(storages=0))
    with pytest.raises(StoreNotAvailable, match="no memory card"):
        connect(sim).objects()
    assert not sim.operations[0x9435]
    assert not sim.operations[OperationCode.SetDevicePropValue]


def test_card_stays_hidden_where_the_mode_cannot_be_left(
    camera: Cameras, connect: Sessions
) -> None:
    faults = ["respond=0x200F on SetDevicePropValue"]
    sim = camera(body="nikon-z6", faults=faults)
    sim.body.properties[0xD1F0].current = 1
    with pytest.raises(StoreNotAvailable, match="no memory card"):
        connect(sim).objects()
