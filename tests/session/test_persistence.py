"""A run that outlives its connection: how often, how long, and what is to blame."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from conftest import Cameras, Sessions
from ptpfast import (
    ConnectFailed,
    ConnectionLost,
    OperationCode,
    ProtocolError,
    PTPError,
    Session,
    SinkError,
    TransferError,
    Unreadable,
    pull,
)
from ptpfast.ptp.errors import StoreNotAvailable
from ptpfast.session import persistence
from ptpfast.session.persistence import Persistence
from ptpfast.sim import SimulatedCamera, Store, check

MiB = 1 << 20
SIZE = 6 * MiB


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, noted instead of made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


class Reconnecting:
    """A session as far as persistence knows one: `outcomes` says what each `reconnect` raises."""

    def __init__(self, *outcomes: PTPError | None) -> None:
        self.outcomes = list(outcomes)
        self.reconnects = 0
        self.usable = False
        self.link = SimpleNamespace(connection=SimpleNamespace(address="192.168.1.1:15740"))

    def reconnect(self, patience: object) -> None:
        self.reconnects += 1
        if self.outcomes and (error := self.outcomes.pop(0)) is not None:
            raise error


def persistent(session: Reconnecting, tries: int | None = 3) -> tuple[Persistence, list[PTPError]]:
    lost: list[PTPError] = []
    return Persistence(cast(Session, session), tries, lost.append), lost


def failing(*errors: BaseException | None):  # type: ignore[no-untyped-def]
    left = list(errors)

    def work() -> str:
        if left and (error := left.pop(0)) is not None:
            raise error
        return "done"

    return work


def test_what_goes_well_is_done_once() -> None:
    session = Reconnecting()
    persistence, lost = persistent(session)
    assert persistence.run(failing()) == "done"
    assert (session.reconnects, lost, persistence.retries) == (0, [], 0)


def test_a_lost_connection_is_made_again_with_growing_pauses(pauses: list[float]) -> None:
    session = Reconnecting(None, ConnectFailed("nobody there"), ConnectionLost("again"))
    persistence, lost = persistent(session, 5)
    first, second = ConnectionLost("gone"), ConnectionLost("gone again")
    assert persistence.run(failing(first, second)) == "done"
    assert [str(error).partition(";")[0] for error in lost] == [
        *("gone", "gone again"),
        *("nobody there", "again"),
    ]
    assert persistence.retries == session.reconnects == 4
    assert len(pauses) == 4
    assert pauses[3] > 2 * pauses[0]


def test_the_tries_are_counted_in_a_row_and_the_last_error_is_told() -> None:
    session = Reconnecting(*(ConnectFailed(f"nobody {n}") for n in range(9)))
    persistence, _ = persistent(session, 3)
    with pytest.raises(ConnectFailed, match="nobody 2"):
        persistence.run(failing(ConnectionLost("gone")))
    assert session.reconnects == 3


def test_no_tries_means_none() -> None:
    session = Reconnecting()
    persistence, lost = persistent(session, 0)
    with pytest.raises(ConnectionLost, match="gone"):
        persistence.run(failing(ConnectionLost("gone")))
    assert (session.reconnects, lost) == (0, [])


def test_without_a_limit_it_goes_on_for_as_long_as_it_takes() -> None:
    session = Reconnecting(*(ConnectFailed("nobody") for _ in range(500)))
    persistence, _ = persistent(session, None)
    assert persistence.run(failing(ConnectionLost("gone"))) == "done"
    assert session.reconnects == 501


def test_bytes_that_came_meanwhile_renew_the_patience() -> None:
    session = Reconnecting()
    persistence, _ = persistent(session, 2)
    sizes = iter(range(100))
    errors = [ConnectionLost("gone") for _ in range(20)]
    assert persistence.run(failing(*errors), lambda: next(sizes)) == "done"
    assert session.reconnects == 20


@pytest.mark.parametrize("error", [ConnectionLost("gone"), ProtocolError("nonsense")])
def test_an_object_that_always_ends_the_connection_is_to_blame_itself(error: PTPError) -> None:
    session = Reconnecting()
    persistence, _ = persistent(session, None)
    with pytest.raises(Unreadable, match="3 errors at the same place"):
        persistence.run(failing(*[error] * 99), lambda: 12_345)
    assert session.reconnects == 3  # and the connection stands anew for what comes next


def test_what_lies_there_and_does_not_count_is_no_measure_of_what_comes() -> None:
    session = Reconnecting()
    persistence, _ = persistent(session, None)
    sizes = iter(range(100_000, 900_000, 100_000))
    errors = [ConnectionLost("gone") for _ in range(5)]
    # A part of a megabyte, of another object: this one begins anew.
    with pytest.raises(Unreadable, match="at the same place"):
        persistence.run(failing(*errors), lambda: min(next(sizes, 0), 1_000_000), 1_000_000)
    sizes = iter(range(100_000, 900_000, 100_000))
    assert persistence.run(failing(*errors), lambda: next(sizes), 0) == "done"


def test_nonsense_on_a_connection_that_stands_is_tried_again_without_connecting() -> None:
    session = Reconnecting()
    session.usable = True
    persistence, lost = persistent(session)
    nonsense = ProtocolError("nonsense")
    assert persistence.run(failing(nonsense, nonsense), lambda: 0) == "done"
    with pytest.raises(ProtocolError, match="nonsense"):
        persistence.run(failing(nonsense))
    assert (session.reconnects, lost) == (0, [])


def test_no_store_is_looked_for_once_more_for_it_is_also_the_last_word_before_sleep() -> None:
    session = Reconnecting()
    persistence, lost = persistent(session)
    no_store = StoreNotAvailable(0x2013, OperationCode.GetPartialObject)
    assert persistence.run(failing(no_store)) == "done"
    sleeps = [no_store, ConnectionLost("asleep")]
    assert persistence.run(failing(*sleeps, *sleeps)) == "done"
    assert (session.reconnects, len(lost)) == (2, 2)
    with pytest.raises(StoreNotAvailable):
        persistence.run(failing(no_store, no_store))
    assert session.reconnects == 2


def test_an_object_at_which_the_camera_falls_asleep_arrives_after_all(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, objects=2)
    for operation in ("GetObjectInfo handle 0x00040003", "GetPartialObject handle 0x00040004"):
        sim.faults.add(f"sleep on {operation}")
    report = pull(connect(sim), tmp_path)
    assert report.ok
    assert (report.downloaded, report.retries) == (2, 2)
    for stored in sim.store.files():
        assert check(sim.store.expected(stored.handle), tmp_path / stored.name)


@pytest.mark.parametrize("error", [SinkError("full"), KeyboardInterrupt(), TransferError("gone")])
def test_what_is_not_the_connections_fault_is_not_tried_again(error: BaseException) -> None:
    session = Reconnecting()
    persistence, _ = persistent(session)
    with pytest.raises(type(error)):
        persistence.run(failing(error))
    assert session.reconnects == 0


def test_a_download_goes_on_from_the_exact_byte_through_many_drops(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    part = tmp_path / "x.part"
    for number in range(10):
        sim.faults.add(f"drop after {400_000 + number} on GetPartialObject at {2 * number + 1}")
    lost: list[PTPError] = []
    persistence = Persistence(session, 3, lost.append)
    transfers = persistence.run(
        lambda: session.download(info, tmp_path / "x", chunk=MiB),
        lambda: part.stat().st_size if part.exists() else 0,
    )
    whole = b"".join(sim.store.expected(info.handle).spans(0, SIZE))
    assert (tmp_path / "x").read_bytes() == whole
    assert transfers.size == SIZE
    assert persistence.retries == len(lost) > 3


def test_another_card_in_the_camera_is_noticed_after_connecting_again(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim: SimulatedCamera = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    sim.store = Store.synthetic(4, SIZE + 1, seed=5)
    session.reconnect()
    with pytest.raises(TransferError, match="no longer"):
        session.download(info, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_pauses_do_not_grow_for_ever() -> None:
    assert persistence.LONGEST_PAUSE_S <= 30
