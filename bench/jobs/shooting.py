"""Jobs of a program that is connected while pictures are taken: each shot, and live view."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

from ..harness import Range
from .place import Place
from .work import Done, ended, wait

SHOTS, EVERY_S = 24, 0.5
DROPS = 2
REST_S = 15.0  # for what has not come at the last shot
LIVE_S = 5
FRAME = 60_000  # bytes of a live view frame
_LARGEST_SEGMENT = 0xFFFF
_START_OF_IMAGE = b"\xff\xd8\xff"


def shot_by_shot(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Take shots at a pace; the seconds are the median of a file."""
    return _shoot(place, program, lines[0], ())


def with_losses(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Take shots at a pace, and lose the connection now and then."""
    drops = tuple((2 * number + 1) * SHOTS // (2 * DROPS) for number in range(DROPS))
    return _shoot(place, program, lines[0], drops)


def live_view(place: Place, program: str, lines: Sequence[str]) -> Done:
    """Count the live view frames of some seconds."""
    body = place.camera.body
    frame = body.frame
    body.frame = lambda: padded(frame())  # type: ignore[method-assign]
    process = subprocess.run(
        place.command(program, lines[0]),
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    frames = process.stdout.count(_START_OF_IMAGE)
    sent = len(process.stdout)
    said = f"{frames / LIVE_S:.0f} frames a second"
    return Done(float(LIVE_S), 0, 0, 0, sent, said)


def padded(jpeg: bytes) -> bytes:
    """Return a JPEG with comments that make it as large as a frame of a real camera."""
    comments = b""
    while len(comments) + len(jpeg) < FRAME:
        length = min(_LARGEST_SEGMENT, FRAME - len(comments) - len(jpeg), 50_000)
        comments += b"\xff\xfe" + max(2, length).to_bytes(2, "big") + bytes(max(0, length - 2))
    return jpeg[:2] + comments + jpeg[2:]


@contextmanager
def again_and_again(place: Place, program: str, line: str) -> Any:
    """Run a line, and run it again whenever it ends, as the loop of a shell does."""
    over = threading.Event()
    running: list[subprocess.Popen[str]] = []

    def run() -> None:
        while not over.is_set():
            process = place.start(program, line)
            running.append(process)
            process.communicate()
            over.wait(0.05)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        for process in running:
            process.send_signal(signal.SIGINT)
        thread.join(10)
        for process in running:
            process.kill()
        thread.join()


def _shoot(place: Place, program: str, line: str, drops: Sequence[int]) -> Done:
    taken: dict[int, float] = {}
    came: dict[int, float] = {}

    def look() -> None:
        now = time.monotonic()
        for handle in place.here().right & taken.keys():
            came.setdefault(handle, now)

    with again_and_again(place, program, line):
        wait(lambda: place.camera.counters.sessions_opened > 0)
        time.sleep(3.0)  # until it has listed, and waits
        began = time.monotonic()
        for shot in range(SHOTS):
            _look_until(began + shot * EVERY_S, look)
            handles = place.camera.capture()
            taken |= dict.fromkeys(handles, time.monotonic())
            place.look_at_card()
            if shot in drops:
                place.camera.drop_connections(reset=bool(drops.index(shot) % 2))
        _look_until(time.monotonic() + REST_S, look, lambda: len(came) == len(taken))
    seconds = [when - taken[handle] for handle, when in came.items()] or [float("nan")]
    never = len(taken) - len(came)
    said = f"{len(came)} of {len(taken)} files" if never else "all files"
    return ended(place, Range.of(seconds).median, f"{said}, {max(seconds):.1f} s at most")


def _look_until(
    end: float, look: Callable[[], object], ready: Callable[[], bool] = lambda: False
) -> None:
    while time.monotonic() < end and not ready():
        look()
        time.sleep(0.01)
