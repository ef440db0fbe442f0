"""A session is closed in order whatever its end meets, and the first error is told."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import ptpfast
from conftest import Cameras, Sessions
from ptpfast import OperationCode
from ptpfast.ptp.errors import Cancelled, PTPError, ResponseError
from ptpfast.session import connecting
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.canon.codes import CanonOperation
from ptpfast.vendors.leaving import leaving
from ptpfast.vendors.nikon import live_view
from ptpfast.vendors.nikon.codes import NikonOperation
from ptpfast.vendors.panasonic.codes import PanasonicOperation
from ptpfast.vendors.panasonic.dialect import PanasonicDialect
from ptpfast.vendors.sony.codes import SonyOperation, SonyProperty

ERRORS = [
    ResponseError(0x2002, 0x1003),
    PTPError("of a vendor"),
    ptpfast.ProtocolError("a malformed answer"),
    ptpfast.Timeout("no answer"),
    Cancelled("by the user"),
    RuntimeError("another operation"),
    OSError("no such thing"),
    TypeError("a mistake in the code"),
]


def closings(sim: SimulatedCamera) -> int:
    return sim.operations[OperationCode.CloseSession]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_session_is_closed_whatever_the_vendor_s_part_meets(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    sim = camera()
    session = connect(sim)

    def end() -> None:
        raise error

    monkeypatch.setattr(session.link.dialect, "end", end)
    session.close()
    assert closings(sim) == 1
    assert session.link.connection.opened.command.closed


def test_mistake_in_the_vendor_s_part_is_told_in_the_log(
    camera: Cameras,
    connect: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = connect(camera(faults=["respond=0x2002 on CloseSession"]))

    def end() -> None:
        raise TypeError("a mistake in the code")

    monkeypatch.setattr(session.link.dialect, "end", end)
    session.close()
    (told,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert told.exc_info is not None
    assert str(told.exc_info[1]) == "a mistake in the code"


def test_interrupt_in_the_end_is_raised_and_the_trace_is_whole(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sim = camera()
    session = ptpfast.connect(sim.host, port=sim.port, trace=tmp_path / "trace.pcapng")

    def end() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session.link.dialect, "end", end)
    with pytest.raises(KeyboardInterrupt):
        session.close()
    assert closings(sim) == 1
    assert session.trace is not None
    assert session.trace._file is None


def test_session_that_cannot_be_handed_over_is_closed(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()

    def take(*_: object, **__: object) -> None:
        raise OSError("no index here")

    monkeypatch.setattr(connecting, "_take", take)
    with pytest.raises(OSError, match="no index"):
        ptpfast.connect(sim.host, port=sim.port)
    assert closings(sim) == 1


def test_lost_connection_in_the_end_is_not_asked_for_more(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="sony-a7r3")
    session = connect(sim, vendor=None)
    sim.faults.add("drop on 0x9280")
    session.close()
    assert closings(sim) == 0
    assert session.link.connection.opened.command.closed


# The vendors' parts


def test_camera_that_refuses_one_message_is_put_to_sleep_all_the_same(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="sony-a7r3")
    session = connect(sim, vendor=None)
    sim.faults.add("respond=0x2002 on 0x9280")
    session.close()
    assert sim.operations[SonyOperation.SetSendStatus] == 3  # begin, refused, sleep
    assert closings(sim) == 1
    assert not sim.body.state["sony"].refuses


def test_eos_that_keeps_its_live_view_is_given_back_all_the_same(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="canon-r6m2")
    session = connect(sim, vendor=None, role="remote")
    frames = session.live_view()
    next(frames)
    sim.clear_log()
    sim.faults.add("respond=0x2002 on 0x9110")
    session.close()
    left = [entry.operation for entry in sim.log]
    assert CanonOperation.SetRemoteMode in left
    assert CanonOperation.SetEventMode in left
    assert left[-1] == OperationCode.CloseSession


def test_controls_are_let_go_and_the_first_refusal_is_told(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="sony-a7sm3")
    session = connect(sim, vendor=None, role="remote")
    dialect = session.link.dialect
    dialect._ready_at = 0.0  # type: ignore[attr-defined]
    sim.clear_log()
    sim.faults.add("respond=0x2006 on 0x9207 at 2")
    sim.faults.add("respond=0x2002 on 0x9207 at 3")
    with pytest.raises(ResponseError) as refused:
        session.capture()
    assert refused.value.code == 0x2006
    used = [entry.parameters[0] for entry in sim.log if entry.operation == 0x9207]
    assert used == [SonyProperty.S1, SonyProperty.S2, SonyProperty.S2, SonyProperty.S1]


def test_end_of_live_view_never_hides_why_it_ended() -> None:
    class Refuses:
        def supports(self, _operation: int) -> bool:
            return True

        def command(self, _operation: int, setting: int, **_: object) -> None:
            asked.append(setting)
            if len(asked) > 1:
                raise ResponseError(0x2002, 0x1003)

        def fetch(self, operation: int, **_: object) -> bytearray:
            assert operation == PanasonicOperation.LiveViewImage
            raise ResponseError(0x2005, 0x1003)

    asked: list[int] = []
    dialect = PanasonicDialect.__new__(PanasonicDialect)
    dialect.link = Refuses()  # type: ignore[assignment]
    with pytest.raises(ResponseError) as ended:
        next(dialect.live_view())
    assert ended.value.code == 0x2005
    assert len(asked) == 2


def test_nikon_is_given_back_also_if_it_keeps_the_live_view_s_settings() -> None:
    class Refuses:
        def supports(self, _operation: int) -> bool:
            return False

        def command(self, operation: int, *_: int, **__: object) -> None:
            asked.append(operation)
            if operation != NikonOperation.ChangeCameraMode:
                raise ResponseError(0x2002, operation)

    asked: list[int] = []
    with pytest.raises(ResponseError):
        live_view._end(Refuses(), 0, host_mode=True)  # type: ignore[arg-type]
    set_value = OperationCode.SetDevicePropValue
    assert asked == [NikonOperation.EndLiveView, set_value, NikonOperation.ChangeCameraMode]


# Leaving itself


def test_leaving_runs_at_the_end_and_its_error_is_then_told() -> None:
    with pytest.raises(PTPError, match="in the end"), leaving(_refuse):
        pass


def test_leaving_keeps_the_first_error_of_all() -> None:
    with pytest.raises(KeyError), leaving(_refuse):
        raise KeyError


def test_closing_a_generator_that_cannot_leave_raises_nothing() -> None:
    def frames() -> Iterator[int]:
        with leaving(_refuse):
            yield 1

    with contextlib.closing(frames()) as shown:  # type: ignore[type-var]
        assert next(shown) == 1


def _refuse() -> None:
    raise PTPError("in the end")
