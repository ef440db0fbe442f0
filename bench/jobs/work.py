"""How a job is run, and what is noted of it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..harness import Range
from .place import PTPFAST, Place

MIDDLE = 40_000_000  # bytes of payload, then the connection is lost, or the program is killed
SHOTS = 8


@dataclass
class Done:
    """One run of a job: its seconds, and what was here then."""

    seconds: float
    right: int
    wrong: int
    other: int
    sent: int  # bytes of payload
    said: str = ""


Job = Callable[[Place, str, Sequence[str]], Done]


@dataclass(frozen=True)
class Task:
    """A job: its name, how it is run, and the lines of each program; none if it has no way.

    With a body, the camera is that one, with two small files; otherwise it follows the standard.
    """

    name: str
    job: Job
    lines: dict[str, tuple[str, ...]]
    why: str = ""  # a program has no way
    listed: int = 0  # files on the card, where they are only listed
    body: str | None = None
    unit: str = "listed"  # what the table says where no files come


def timed(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Run the lines, one after the other."""
    began = time.monotonic()
    for line in lines:
        place.run(program, line)
    return ended(place, time.monotonic() - began)


def ended(place: Place, seconds: float, said: str = "") -> Done:
    """Return what is here now."""
    here = place.here()
    sent = place.camera.counters.payload_bytes
    return Done(seconds, len(here.right), here.wrong, here.other, sent, said)


def again(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Run the first line untimed, and the last one timed."""
    place.run(program, lines[0])
    before = place.camera.counters.payload_bytes
    done = timed(place, program, lines[-1:])
    done.sent -= before
    return done


def only_raw(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Find the numbers of the RAW files in a list, where a program cannot select them."""
    if program == PTPFAST:
        return timed(place, program, lines)
    began = time.monotonic()
    listed = place.run(program, lines[0])
    numbers = [
        words[0].lstrip("#")
        for words in map(str.split, listed.splitlines())
        if words and words[0].startswith("#") and not words[1].endswith(".JPG")
    ]
    gets = " ".join(f"--get-file {number}" for number in numbers)  # it takes no list here
    place.run(program, lines[1].replace("--get-file N", gets))
    return ended(place, time.monotonic() - began)


def cut(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Lose the connection in the middle of a file; then what a user does: the last line."""
    place.camera.faults.add(f"drop after-total {MIDDLE}")
    began = time.monotonic()
    place.run(program, lines[0])
    here = place.here()
    said = f"first: {len(here.right)} of {len(place.on_card)}{here.words}"
    if here.right < place.on_card:
        place.run(program, lines[-1])
    return ended(place, time.monotonic() - began, said)


def killed(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Kill the program in the middle of a file, and run the last line."""
    began = time.monotonic()
    process = place.start(program, lines[0])
    while process.poll() is None and place.camera.counters.payload_bytes < MIDDLE:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    here = place.here()
    place.run(program, lines[-1])
    said = f"first: {len(here.right)} of {len(place.on_card)}{here.words}"
    return ended(place, time.monotonic() - began, said)


def tethered(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Take shots while the program waits for them; the seconds are the median of one."""
    process = place.start(program, lines[0])
    took: list[float] = []
    try:
        wait(lambda: place.camera.counters.sessions_opened > 0)
        time.sleep(2.0)  # until it has listed, and waits
        for _ in range(SHOTS):
            before, began = place.on_card, time.monotonic()
            place.camera.capture()
            place.look_at_card()
            shot = place.on_card - before
            if wait(lambda shot=shot: place.here().right >= shot):  # type: ignore[misc]
                took.append(time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    return ended(place, Range.of(took).median if took else float("nan"))


def wait(ready: Callable[[], bool]) -> bool:
    """Wait until something is so; False if it is not after a while."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if ready():
            return True
        time.sleep(0.01)
    return False
