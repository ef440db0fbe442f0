"""`ptpfast pair`: what its owner is told, what is remembered, and what a rejection leads to."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from command_line import at, records, run
from conftest import Cameras
from ptpfast import vendors
from ptpfast.cli import countdown
from ptpfast.cli.output import Output
from ptpfast.cli.pair import Owner
from ptpfast.doctor import brand
from ptpfast.sim import SimulatedCamera
from ptpfast.state import identity
from ptpfast.transport import handshake
from ptpfast.transport.identity import default_guid, default_name
from ptpfast.vendors.nikon import approval
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_S", "HOLD_S", "NUMBER_PAUSE_S"):
        monkeypatch.setattr(approval, name, 0.01)
    monkeypatch.setattr(handshake, "CONFIRM_AFTER_S", 0.01)
    monkeypatch.setattr(brand, "brand_at", lambda *_: None)  # other tests' cameras would be found


def nikon(camera: Cameras, **options: object) -> SimulatedCamera:
    """Shows a number, and asks its owner in the session."""
    vendor = vendors.with_body("nikon-z8")
    quirks = replace(vendor.quirks, close_after_open_s=0, reconnect_pause_s=0)
    rules = PcConnection(hold_s=0, pause_s=0)
    return camera(
        replace(vendor, quirks=quirks, body=with_pc_connection(vendor.model, rules)), **options
    )


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Callable[[SimulatedCamera, str], None]:
    """Lets the owner of a camera act when this computer's user is told to wait for it."""
    told = Owner._waiting

    def act(sim: SimulatedCamera, action: str) -> None:
        def waiting(self: Owner, error: object) -> None:
            told(self, error)  # type: ignore[arg-type]
            for computer in list(sim.approvals.asking):
                getattr(sim.approvals, action)(*computer)

        monkeypatch.setattr(Owner, "_waiting", waiting)

    return act


Acts = Callable[[SimulatedCamera, str], None]


def test_the_number_and_the_button_are_told_and_the_approval_is_kept(
    camera: Cameras, owner: Acts
) -> None:
    sim = nikon(camera, approval="unknown")
    owner(sim, "approve")
    done = run("pair", at(sim), "--name", "studio")
    assert done.exit_code == 0, done.stderr
    assert "the camera shows " in done.stderr
    assert "compare the number with that on the camera, then press OK on the camera (60 s)" in (
        done.stderr
    )
    assert "has accepted this computer" in done.stdout
    (known,) = identity.load().cameras
    assert (known.nickname, known.host, known.port) == ("studio", sim.host, sim.port)
    assert known.vendor == "nikon"
    assert known.approved
    assert identity.own() == (default_guid(), default_name()[:39])
    assert run("info", "studio").exit_code == 0
    assert sim.approvals.state(default_guid(), default_name()) == "approved"


def test_a_camera_that_answers_after_its_owner_is_waited_for(camera: Cameras, owner: Acts) -> None:
    sim = camera(body="sony-a7m4", approval="unknown")
    owner(sim, "approve")
    done = run("pair", at(sim), "--json")
    assert done.exit_code == 0, done.stderr
    rows = records(done.stdout)
    waiting = next(row for row in rows if row["type"] == "waiting")
    assert waiting["seconds"] == 90
    paired = rows[-1]
    assert (paired["type"], paired["asked"], paired["vendor"]) == ("paired", True, "sony")
    assert paired["file"].endswith("identity.json")


def test_a_camera_that_asks_nobody_is_remembered(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "CONFIRM_AFTER_S", 60.0)  # slow is not the same as asking
    sim = camera()
    done = run("pair", at(sim))
    assert done.exit_code == 0
    assert "accepts this computer" in done.stdout
    assert f"next: ptpfast pull {at(sim)} FOLDER" in done.stderr
    assert len(identity.load().cameras) == 1


def test_a_rejection_is_told_with_the_way_back(camera: Cameras, owner: Acts) -> None:
    sim = nikon(camera, approval="unknown")
    owner(sim, "reject")
    done = run("pair", at(sim))
    assert done.exit_code == 4
    assert "after a rejection: the camera refuses this identity for good: run 'ptpfast pair " in (
        done.stderr
    )
    assert identity.load().cameras == ()
    before = identity.own()
    owner(sim, "approve")
    done = run("pair", at(sim), "--new-identity")
    assert done.exit_code == 0, done.stderr
    assert identity.own() != before
    guid, _ = identity.own() or (b"", "")
    assert guid[-6:] == bytes(6)


def test_a_refused_handshake_says_where_to_let_this_computer_in(camera: Cameras) -> None:
    sim = camera(faults="init_fail=1 times 0")
    done = run("pair", at(sim))
    assert done.exit_code == 4
    assert "to be asked, on the camera: " in done.stderr


def test_paired_cameras_are_listed_and_forgotten(camera: Cameras) -> None:
    sim = camera()
    assert "no camera is paired" in run("pair", "--list").stderr
    run("pair", at(sim), "--name", "studio")
    assert run("pair", "--list").stdout.split("\t")[:3] == ["studio", sim.host, str(sim.port)]
    (row,) = [row for row in records(run("pair", "--list", "--json").stdout) if "nickname" in row]
    assert (row["type"], row["nickname"]) == ("known", "studio")
    assert run("pair", "--forget", "studio").exit_code == 0
    assert run("pair", "--forget", "studio").exit_code == 2
    assert identity.load().cameras == ()


@pytest.mark.parametrize(
    "words",
    [
        ("127.0.0.1", "--name", "1st"),
        ("127.0.0.1", "--name", "a.b"),
        ("127.0.0.1", "--list"),
        ("--list", "--forget", "x"),
        ("--forget", "x", "--new-identity"),
    ],
    ids=" ".join,
)
def test_options_that_cannot_be_are_a_usage_error(words: tuple[str, ...]) -> None:
    assert run("pair", *words).exit_code == 2
    assert not identity.path().exists()


def test_a_countdown_on_a_terminal_shows_the_seconds_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(countdown, "is_terminal", lambda _: True)
    monkeypatch.setattr("sys.stderr", shown)
    counting = countdown.Countdown(Output("pair"))
    counting.begin("press OK", 900)
    counting.end()
    counting.end()
    assert shown.getvalue().startswith("\r\x1b[Kpress OK: 1")
    assert shown.getvalue().endswith(" left\r\x1b[K")
