"""Results and errors travel between processes, and show what they are."""

from __future__ import annotations

import copy
import errno
import pickle
from pathlib import Path

import numpy as np
import pytest

import ptpfast
from conftest import Cameras, Sessions
from ptpfast.engine.errors import LimitReached
from ptpfast.library.report.report import Report, report_of
from ptpfast.ptp.errors import CameraFailing, response_error
from ptpfast.sim import Fault

ERRORS = [
    ptpfast.PTPError("it failed", hint="do this", received=5),
    ptpfast.ConnectFailed("nothing listens"),
    ptpfast.ConnectionLost("gone", received=7),
    ptpfast.Timeout("silent"),
    ptpfast.InitFailed(2),
    response_error(0x2019, 0x1009, (1, 2)),
    response_error(0x2FFF, 0x1009),
    ptpfast.ProtocolError("broken", packet_type=3, offset=4),
    ptpfast.SinkError("full", errno=errno.ENOSPC),
    LimitReached(errno.EMFILE),
    CameraFailing(ptpfast.Timeout("silent"), 10, 5.0),
    ptpfast.TransferError("wrong size"),
    ptpfast.Unreadable("always lost"),
    ptpfast.Cancelled("stopped"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling(error: ptpfast.PTPError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), vars(again)) == (str(error), vars(error))
        assert getattr(again, "errno", None) == getattr(error, "errno", None)


def test_a_transfer_and_a_report_survive_pickling(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=3, size=300_000, faults=["respond=0x2002 on GetPartialObject at 1"])
    report = ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path, verify="hash")
    again: Report = pickle.loads(pickle.dumps(report))
    assert again.downloaded == report.downloaded
    assert [str(result.error) for result in again.files] == [
        str(result.error) for result in report.files
    ]
    transfer = next(result.transfer for result in report.files if result.transfer)
    found = pickle.loads(pickle.dumps(transfer))
    assert (found.path, found.size, found.sha256) == (transfer.path, transfer.size, transfer.sha256)
    for mine, other in zip(transfer.timeline, found.timeline, strict=True):
        assert np.array_equal(mine, other)


def test_a_timeline_of_any_length_survives_pickling() -> None:
    empty = pickle.loads(pickle.dumps(ptpfast.Timeline(2)))
    assert [column.tolist() for column in empty.samples()] == [[], []]


def test_an_error_that_ends_a_run_is_pickled_with_its_report(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, size=300_000, faults=Fault("drop", operation=0x101B, times=0))
    with pytest.raises(ptpfast.PTPError) as raised:
        ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path, retry=0)
    again = report_of(pickle.loads(pickle.dumps(raised.value)))
    mine = report_of(raised.value)
    assert again is not None
    assert mine is not None
    assert again.remaining == mine.remaining


def test_what_is_shown_of_a_session_a_transfer_and_a_report_is_short(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3, size=300_000)
    session = connect(sim)
    assert repr(session).startswith("<Session with ")
    assert repr(session).endswith(f"at {sim.host}:{sim.port}>")
    report = ptpfast.pull(session, tmp_path)
    assert repr(report) == f"<Report of {tmp_path}: 3 downloaded>"
    assert repr(report.files[0].transfer).startswith("<Transfer of IMG_0001.")
    assert repr(Report(tmp_path)) == f"<Report of {tmp_path}: nothing to do>"
    session.close()
    assert repr(session).endswith(", ended>")
