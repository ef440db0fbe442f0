"""Fujifilm: bodies that ask their owner about a new computer before they answer it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import ptpfast
from command_line import at, run
from conftest import PATIENT
from ptpfast.link import owner
from ptpfast.link.connection import Connection
from ptpfast.link.link import Link
from ptpfast.ptp.errors import AccessDenied, NotApproved, OwnerAsked, PTPError
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.fujifilm import functions, transport
from ptpfast.vendors.fujifilm.codes import FujifilmProperty
from ptpfast.vendors.fujifilm.conduct import ask_late

WORDS = "confirm this computer on the camera: press OK there"
# The camera is silent on purpose, also when the session ends.
SILENT = ptpfast.Timeouts(connect=10, operation=20, idle=20, close=0.1)


@contextlib.contextmanager
def asking(approval: str = "unknown", **options: Any) -> Iterator[SimulatedCamera]:
    """A body that asks when the client state is written."""
    with SimulatedCamera(
        body="fuji-xt4", objects=3, size=100_000, approval=approval, **options
    ) as sim:
        ask_late(sim.body)
        yield sim


def connected(sim: SimulatedCamera, **options: Any) -> ptpfast.Session:
    options = {"timeouts": PATIENT, **options}
    return ptpfast.connect(sim.host, port=sim.port, vendor="fujifilm", **options)


def answering(
    sim: SimulatedCamera, told: list[PTPError], *, approves: bool
) -> Callable[[PTPError], None]:
    """The owner, who sees the question when it is told."""

    def answer(error: PTPError) -> None:
        told.append(error)
        (sim.approvals.approve if approves else sim.approvals.reject)(*sim.initiators[-1])

    return answer


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "SILENT_S", 0.05)


@pytest.mark.usefixtures("_soon")
def test_an_owner_who_presses_ok_late_is_waited_for_and_told_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    def proceed(connection: Connection, *given: Any) -> bool:
        waited.append(connection.timeouts.operation)
        return receive(connection, *given)

    receive = Connection.proceed
    monkeypatch.setattr(Connection, "proceed", proceed)
    with asking() as sim:
        told: list[PTPError] = []
        with connected(sim, waiting=answering(sim, told, approves=True)) as session:
            assert len(session.objects()) == 3
            assert session.link.timeouts == PATIENT
        # As long as the owner takes, whatever the time for an operation is.
        assert waited == [owner.SILENT_S, functions.OWNER_S]
        (error,) = told
        assert isinstance(error, OwnerAsked)
        assert (error.message, error.within_s) == (WORDS, functions.OWNER_S)
        writes = [row for row in sim.log if row.parameters == (FujifilmProperty.ClientState,)]
        assert len(writes) == 2  # for remote control, then for its pictures: none was repeated
        assert sim.unclean_ends == 0
        with connected(sim, waiting=told.append) as session:  # approved for good
            assert len(session.objects()) == 3


@pytest.mark.usefixtures("_soon")
def test_an_owner_who_rejects_a_computer_ends_the_attempt() -> None:
    with asking() as sim:
        told: list[PTPError] = []
        with pytest.raises(NotApproved, match="refuses this computer") as caught:
            connected(sim, waiting=answering(sim, told, approves=False))
        assert len(told) == 1
        assert caught.value.hint == functions.NOT_CONFIRMED
        assert isinstance(caught.value.__cause__, AccessDenied)
        assert sim.wait_for(lambda: sim.sessions_closed == 1)
        assert sim.unclean_ends == 0


@pytest.mark.usefixtures("_soon")
def test_an_owner_who_never_answers_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(functions, "OWNER_S", 0.2)
    with asking() as sim:
        told: list[PTPError] = []
        with pytest.raises(NotApproved, match="was not confirmed on the camera") as caught:
            connected(sim, waiting=told.append, timeouts=SILENT)
        assert [error.message for error in told] == [WORDS]
        assert caught.value.hint == functions.NOT_CONFIRMED
        assert sim.wait_for(lambda: sim.unclean_ends == 1)


def test_a_computer_that_is_known_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "SILENT_S", PATIENT.operation)
    with asking("approved") as sim:
        told: list[PTPError] = []
        with connected(sim, waiting=told.append) as session:
            assert len(session.objects()) == 3
        assert told == []


def test_a_body_that_refuses_without_asking_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "SILENT_S", PATIENT.operation)
    faults = ["respond=0x200F on SetDevicePropValue"]
    with asking("approved", faults=faults) as sim, pytest.raises(AccessDenied):
        connected(sim)


def test_a_body_that_is_busy_at_that_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "SILENT_S", PATIENT.operation)
    faults = ["respond=0x2019 on SetDevicePropValue times 2"]
    with asking("approved", faults=faults) as sim, connected(sim) as session:
        assert len(sim.faults.fired) == 2
        assert len(session.objects()) == 3


@pytest.mark.usefixtures("_soon")
def test_the_words_for_the_owner_stand_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    with asking() as sim:

        def waiting(link: Link, what: str, within_s: float | None = None) -> None:
            tell(link, what, within_s)
            sim.approvals.approve(*sim.initiators[-1])

        tell = Link.waiting
        monkeypatch.setattr(Link, "waiting", waiting)
        monkeypatch.setattr(transport.FujifilmTransport, "port", sim.port)
        done = run("ls", at(sim))
        assert done.exit_code == 0
        assert WORDS in done.output
        assert "DSCF0001.JPG" in done.output
