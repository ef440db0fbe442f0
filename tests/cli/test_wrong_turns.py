"""docs/troubleshooting.md: each message is staged, leads to its fix, and the fix works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import command_line
from doctor import staged
from ptpfast.sim import SimulatedCamera

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
ROWS = re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
PULL = "pull CAMERA x"


def a_file(_: str) -> None:
    Path("x").write_text("not a folder", encoding="utf-8")


def a_folder(_: str) -> None:
    Path("x").mkdir()


def moved_away(camera: str) -> None:
    """A download whose files are not in their folder any more."""
    assert command_line.run("pull", camera, "x").exit_code == 0
    for file in Path("x").iterdir():
        file.unlink()


@dataclass(frozen=True)
class Turn:
    """A wrong command and the right one; CAMERA and STRANGER are addresses."""

    wrong: str
    right: str = PULL
    status: int = 2
    # What the message says to do, if that is not its end as the page has it.
    leads: str = ""
    fault: str = ""
    before: Callable[[str], object] = lambda _: None
    camera: dict[str, Any] = field(default_factory=dict)
    stranger: staged.Serve | None = None


COMMAND_LINE = {
    "there is no command 'downlaod' (did you mean 'pull'?)": Turn("downlaod CAMERA x"),
    "there is no command '…' (for a camera's address: 'ptpfast info …')": Turn(
        "CAMERA", "info CAMERA"
    ),
    "--verbose is no option of ptpfast itself; options come after the command": Turn(
        "--verbose info CAMERA", "info CAMERA --verbose"
    ),
    "No such option '--formt'. …": Turn(
        "pull CAMERA x --formt raw", "pull CAMERA x --format raw", leads="'--format'"
    ),
    "the folder to download into is missing: ptpfast pull CAMERA FOLDER": Turn("pull"),
    "'…' is a camera's address; add the folder": Turn("pull CAMERA"),
    "'…' is a camera's address, not a folder: the cameras come first, then the folder": Turn(
        "pull x CAMERA"
    ),
    "'…' is a folder and '…' an address: the camera comes first, then the folder": Turn(
        "pull x CAMERA", before=a_folder
    ),
    "'…' is a web address; write …": Turn("pull http://CAMERA x"),
    "'…' is not an address but a path or a network": Turn(
        "pull 127.0.0.1/DCIM x", leads="write HOST, HOST:PORT"
    ),
    "'99999' is not a port (1 to 65535)": Turn("pull 127.0.0.1:99999 x", leads="HOST:PORT"),
    "'nef' is not one of raw, …; to select by extension: --include '*.nef'": Turn(
        "pull CAMERA x --format nef", "pull CAMERA x --include *.dng"
    ),
    "'22.11.2026' is not a date; write 2026-11-22": Turn(
        "pull CAMERA x --since 22.11.2026", "pull CAMERA x --since 2025-11-22"
    ),
    "2025-01-01 is before --since 2025-02-01": Turn(
        "pull CAMERA x --since 2025-02-01 --until 2025-01-01",
        "ls CAMERA --since 2025-01-01 --until 2025-02-01",
    ),
    "'1' is too little for a read; write 1M, or 0 for whole files": Turn(
        "pull CAMERA x --chunk 1", "pull CAMERA x --chunk 1M"
    ),
    "you cannot combine --on-conflict overwrite with --delete-verified": Turn(
        "pull CAMERA x --delete-verified --on-conflict overwrite",
        "pull CAMERA x --on-conflict overwrite",
    ),
    "--manifest, --copies and --delete-verified need SHA-256: leave --algorithm out": Turn(
        "pull CAMERA x --manifest --algorithm xxh3", "pull CAMERA x --manifest"
    ),
    "there is no device property 'nosuch'": Turn(
        "get CAMERA nosuch", "get CAMERA", leads="name one as exposure-time"
    ),
    "'…' is not NAME=VALUE, such as white-balance=daylight": Turn(
        "set CAMERA iso", "set CAMERA iso=100"
    ),
    "a path with spaces needs quotes: '…'": Turn(
        "pull CAMERA a x", before=lambda _: Path("a x").mkdir()
    ),
    "put the pattern in quotes, so that the shell does not expand it: …": Turn(
        "ls CAMERA --include x.DNG y.DNG",
        "ls CAMERA --include *.DNG",
        before=lambda _: [Path(name).touch() for name in ("x.DNG", "y.DNG")],
    ),
    "the shell has not replaced the ~ of '…'": Turn("pull CAMERA ~/x", leads="write $HOME"),
    "no camera 'nosuch' is remembered; 'ptpfast pair --list' shows those that are": Turn(
        "pair --forget nosuch", "pair --list"
    ),
}
NO_CONNECTION = {
    "cannot reach …: …; no host and no paired camera has this name": Turn(
        "pull camera.invalid x", status=3, leads="'ptpfast discover' shows the addresses"
    ),
    "nothing listens at …; start the remote or 'connect to PC' mode in the camera's Wi-Fi menu, "
    "and check the port": Turn("info CLOSED", "info CAMERA", status=3),
    "… refused the connection: it is busy, probably with another computer or phone": Turn(
        "info CAMERA", "info CAMERA", 4, "disconnect the other device", "init_fail=2 times 0"
    ),
    "… refused the connection: this computer is not registered with it": Turn(
        "info CAMERA", "pair CAMERA", 4, "pair this computer", "init_fail=1 times 0"
    ),
    "… accepts connections but does not answer the handshake": Turn(
        "info CAMERA --timeout connect=1 --timeout approval=1",
        "info CAMERA",
        3,
        "switch its Wi-Fi off and on",
        "init_silence times 0",
    ),
    "… closed the connection at once": Turn(
        "info CAMERA", "info CAMERA", 3, "check the address", "init_drop times 0"
    ),
    "something answers at …, but not as a PTP/IP camera does": Turn(
        "info STRANGER", "info CAMERA", 3, "check the address", stranger=staged.saying(b"SSH-2.0-x")
    ),
}
NOTHING = {
    "no files on the camera": Turn("pull CAMERA x", "info CAMERA", 0, camera={"objects": 0}),
    "the camera refused to list the files: there is no card": Turn(
        PULL, PULL, 4, "check the card", "respond=0x2013 times 0 on GetObjectHandles"
    ),
    "0 of … files match …; for names that begin so, write '…*'": Turn(
        "pull CAMERA x --include IMG_00", "pull CAMERA x --include IMG_00*", 0
    ),
    "0 of … files match …; 'ptpfast ls' shows what is there": Turn(
        "pull CAMERA x --since 2999-01-01", "ls CAMERA", 0
    ),
    "there is no card 3 in the camera, but card 1": Turn(
        "pull CAMERA x --storage 3", "pull CAMERA x --storage 1", 0
    ),
    "Up to date: all … files were downloaded before": Turn(
        "pull CAMERA x --new", PULL, 0, before=moved_away
    ),
    "… is not a folder; give a folder to download into": Turn(
        PULL, "pull CAMERA y", 6, before=a_file
    ),
    "… are the same folder": Turn("pull CAMERA x --copies x", "pull CAMERA x --copies y"),
    "cannot write to …; choose another folder": Turn("pull CAMERA /proc/x", status=6),
}
STOPPED = {
    "connection lost: the camera closed the connection; …; run the same command again to "
    "continue": Turn("pull CAMERA x --retry 0", PULL, 3, "", "drop after 1000"),
    "… failed: the camera refused to send the file: there is no such file": Turn(
        PULL, PULL, 1, "it may have been deleted on the camera", "vanish after 1000"
    ),
    "the camera broke the protocol; please report it with the camera's model": Turn(
        "info CAMERA", "info CAMERA", 5, "", "overrun=1000 times 0"
    ),
}
TURNS = COMMAND_LINE | NO_CONNECTION | NOTHING | STOPPED


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PTPFAST_ALLOW_MEMORY", "1")  # the tests' folders may be in memory


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_every_message_of_the_page_is_staged_and_none_else() -> None:
    assert [message for message, _ in ROWS] == list(TURNS)
    assert len(TURNS) >= 30


@pytest.mark.parametrize("message", TURNS)
def test_wrong_turn_is_told_with_its_fix_and_the_fix_works(message: str, stack: ExitStack) -> None:
    turn = TURNS[message]
    settings = {"objects": 4, "size": 20_000, **turn.camera}
    camera = stack.enter_context(SimulatedCamera(faults=turn.fault or (), **settings))
    places = {"CAMERA": command_line.at(camera)}
    places["CLOSED"] = str(stack.enter_context(staged.refusing()))
    if turn.stranger is not None:
        places["STRANGER"] = str(stack.enter_context(staged.server(turn.stranger)))
    turn.before(places["CAMERA"])
    wrong = told(turn.wrong, places)
    assert wrong.exit_code == turn.status, wrong.output
    assert re.search(re.escape(message).replace("…", ".+"), wrong.output), wrong.output
    assert turn.leads in wrong.output
    camera.faults.clear()
    right = told(turn.right, places)
    assert right.exit_code == 0, right.output


def told(line: str, places: dict[str, str]) -> command_line.Result:
    for word, place in places.items():
        line = line.replace(word, place)
    held = ["--timeout", "held=0.1"] if line.startswith("info") else []
    return command_line.run(*line.split(), *held)
