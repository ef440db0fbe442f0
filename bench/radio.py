"""A link between a camera and a computer, emulated under real TCP: peers/link.c, and its profiles.

`Radio` is the link with its two network namespaces, for as long as its `with` lasts; `near` and
`far` make a command run on the computer's and on the camera's side of it. Needs root.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .peers import compiler, program

PROFILES = Path(__file__).with_name("profiles.toml")
CAMERA = "10.77.0.1"
# A packet of 1,500 bytes has 1,448 of a TCP stream (IPv4, timestamps).
PACKET, PAYLOAD = 1500, 1448
LONGEST_S = 3600  # the link's process ends then


@dataclass(frozen=True)
class Profile:
    """A link as in profiles.toml: `rate` is what one TCP stream should get (bytes a second); `rtt`
    and `jitter` are of a round trip, `operation` what the camera takes for each (seconds). Where a
    camera differs from run to run, `rates` or `operations` are what it may be."""

    name: str
    about: str
    source: str
    assumed: tuple[str, ...]
    rate: float
    rtt: float
    jitter: float
    operation: float
    queue: int
    object_size: int
    loss: float = 0.0
    outage: tuple[float, float] | None = None
    cliff: tuple[float, float, float] | None = None
    rates: tuple[float, ...] = ()
    operations: tuple[float, ...] = ()

    @property
    def line_rate(self) -> float:
        """Bytes a second of packets with their heads."""
        return self.rate * PACKET / PAYLOAD

    @property
    def each(self) -> tuple[Profile, ...]:
        """The link at each rate that its camera may have."""
        return tuple(replace(self, rate=rate) for rate in self.rates or (self.rate,))


def profiles() -> dict[str, Profile]:
    """All of them by name. KeyError, TypeError if the file is not as it should be."""
    found = {}
    for name, entry in tomllib.loads(PROFILES.read_text(encoding="utf-8")).items():
        for key in ("assumed", "outage", "cliff", "rates", "operations"):
            if key in entry:
                entry[key] = tuple(entry[key])
        found[name] = Profile(name=name, **entry)
    return found


def why_not() -> str | None:
    """Why there can be no emulated link here, or None."""
    if os.geteuid() != 0:
        return "network namespaces and TUN devices need root"
    if compiler() is None:
        return "no C compiler (cc) for the link"
    if shutil.which("nsenter") is None:
        return "nsenter (util-linux) is not installed"
    try:
        with Radio(rate=1e6):
            return None
    except RuntimeError as error:
        return str(error)


class Radio:
    """The running link; use it in a `with`. Its namespaces end with it and with what runs in them.

    rate: bytes a second of packets; rtt, jitter: seconds, half of it in each direction.
    """

    host = CAMERA

    def __init__(
        self,
        *,
        rate: float,
        rtt: float = 0.0,
        jitter: float = 0.0,
        queue: int = 1 << 20,
        loss: float = 0.0,
        outage: tuple[float, float] | None = None,
        cliff: tuple[float, float, float] | None = None,
    ) -> None:
        options: dict[str, object] = {
            "rate": rate,
            "delay": rtt / 2,
            "jitter": jitter / 2,
            "queue": queue,
            "loss": loss,
            "outage": outage and ",".join(map(str, outage)),
            "cliff": cliff and ",".join(map(str, cliff)),
            "seconds": LONGEST_S,
        }
        self._options = [
            word
            for name, value in options.items()
            if value is not None
            for word in (f"--{name}", str(value))
        ]
        self.carried: dict[str, Any] = {}  # what it carried and dropped; known at the end
        self._process: subprocess.Popen[str]
        self._near: list[str]
        self._far: list[str]

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """The link of a profile."""
        return cls(
            rate=profile.line_rate,
            rtt=profile.rtt,
            jitter=profile.jitter,
            queue=profile.queue,
            loss=profile.loss,
            outage=profile.outage,
            cliff=profile.cliff,
        )

    def __enter__(self) -> Self:
        command = [program("link"), *self._options]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        words = self._process.stdout.readline().split()
        if len(words) != 4:
            _, said = self._process.communicate()
            raise RuntimeError(f"no emulated link: {said.strip() or 'it ended at once'}")
        camera, computer = (f"--net=/proc/{self._process.pid}/fd/{words[n]}" for n in (1, 3))
        self._far, self._near = ["nsenter", camera], ["nsenter", computer]
        return self

    def restart(self) -> None:
        """Outages and cliffs come from now on as they did the last time."""
        self._process.send_signal(signal.SIGUSR1)

    def timeline(self) -> dict[str, Any]:
        """What reached the computer since the restart: `epoch` (monotonic clock), `step` (seconds)
        and the `bytes` of each step, packets' heads included."""
        self._process.send_signal(signal.SIGUSR2)
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def near(self, command: list[str]) -> list[str]:
        """The command, to run on the computer's side."""
        return [*self._near, *command]

    def far(self, command: list[str]) -> list[str]:
        """The command, to run on the camera's side."""
        return [*self._far, *command]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            said, _ = self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        self.carried = json.loads(said) if said.strip() else {}
