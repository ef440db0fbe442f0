"""The two sides of a link: the camera on the far one, what is measured on the near one.

The link is a `Radio` (radio.py: real TCP over an emulated link) or, where there can be none, an
`Imitation`: then the simulated camera paces what it sends, over loopback.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ptpfast.ptp.codes import OperationCode
from ptpfast.sim import Store

from . import peers
from .content import WrongContent
from .harness import Sample
from .radio import Profile, Radio

# What fetches an object's content.
CONTENT = (OperationCode.GetObject, OperationCode.GetPartialObject)


class Imitation:
    """No link at all: the simulated camera's own between its sockets (`ptpfast.sim.Link`), with a
    rate (bytes a second) and a round trip (seconds). TCP runs over loopback: nothing is lost, and
    no window has to open."""

    host = "127.0.0.1"

    def __init__(self, *, rate: float, rtt: float = 0.0, jitter: float = 0.0) -> None:
        self._options = [f"--rate={rate}", f"--rtt={rtt}", f"--jitter={jitter}"]

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """As near to a profile as it comes."""
        return cls(rate=profile.rate, rtt=profile.rtt, jitter=profile.jitter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def near(self, command: list[str]) -> list[str]:
        """The command itself."""
        return command

    def far(self, command: list[str]) -> list[str]:
        """The command, which has to pace itself."""
        return [*command, *self._options]


Link = Radio | Imitation


class Far:
    """What stands on the far side (far.py): the camera's and the raw sender's ports."""

    def __init__(
        self, process: subprocess.Popen[str], camera: int, raw: int, gate: int = 0
    ) -> None:
        self._process = process
        self.camera = camera
        self.raw = raw
        self.gate = gate  # of a body that has one

    def requests(self) -> Counter[int]:
        """The operations the camera was asked for since this was last called, by their code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        asked = json.loads(self._process.stdout.readline())
        return Counter({int(code): count for code, count in asked.items()})


@contextmanager
def far_side(
    link: Link,
    objects: int,
    size: int,
    delay: float,
    *,
    bulk: bool = False,
    nagle: bool = False,
    writes: str = "whole",
    body: str | None = None,
) -> Iterator[Far]:
    """The camera and the raw sender, for as long as the `with` lasts. bulk: whether the camera
    describes all its objects in one answer; nagle, writes, body: as of `SimulatedCamera`."""
    options = {"host": link.host, "objects": objects, "size": size, "delay": delay}
    options |= {"nagle": int(nagle), "writes": writes}
    options["bulk"] = int(bulk)
    words = [f"--{name}={value}" for name, value in options.items()]
    words += [f"--body={body}"] if body is not None else []
    process = subprocess.Popen(
        link.far([*peers.PYTHON, "-m", "bench.far", *words]),
        cwd=peers.ROOT,
        env=peers.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        if len(said) != 6:
            raise RuntimeError("the camera's side of the link did not start")
        yield Far(process, *map(int, said[1::2]))
    finally:
        process.kill()
        process.communicate()


def near(link: Link, what: str, port: int, **options: object) -> dict[str, Any]:
    """One run of near.py on the computer's side: its report."""
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [*peers.PYTHON, "-m", "bench.near", what, link.host, str(port), *words]
    return peers.run(link.near(command))


def sample(link: Link, what: str, port: int, **options: object) -> Sample:
    """The same as a sample."""
    return Sample.of(near(link, what, port, **options))


def check_and_remove(directory: Path, store: Store) -> None:
    """Every file of the card is there, byte for byte, and nothing else; they are gone then."""
    for stored in store.files():
        path = directory / stored.name
        if not path.is_file():
            raise WrongContent(f"{stored.name} is missing")
        with path.open("rb") as file:
            for span in store.expected(stored.handle).spans(0, stored.size):
                if file.read(len(span)) != span:
                    raise WrongContent(f"{stored.name} differs")
            if file.read(1):
                raise WrongContent(f"{stored.name} is too long")
        path.unlink()
    if left := [path.name for path in directory.iterdir()]:
        raise WrongContent(f"left behind: {left}")
