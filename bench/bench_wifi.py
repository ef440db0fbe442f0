"""How near to one raw TCP stream does a download come over Wi-Fi and Ethernet links?

Real TCP through an emulated radio (radio.py), the simulated camera at its other end. What the link
carries is measured first and in every round: all else is a part of that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ptpfast.sim import Store

from . import peers
from .content import WrongContent
from .harness import Case, Claim, Range, Sample, alternate, scratch
from .radio import CAMERA, Profile, Radio, profiles, why_not

MIB = 1 << 20
RAW = "raw TCP"
DEFAULT, TUNED, WHOLE = "ptpfast", "ptpfast 2 × 1 MiB", "ptpfast GetObject"
OTHERS = "gphoto2"
CHOSEN = (
    "dslr-11n-adhoc",
    "mirrorless-11n-5g",
    "mirrorless-11ac-1x1",
    "mirrorless-11ac-2x2",
    "mirrorless-11ax-2x2",
    "gbe-soc",
    "gbe",
)
QUICK = ("mirrorless-11ac-2x2",)
# A link that carries less than this of the rate it was set to is not what its profile says.
CARRIES = 0.95
# Depth 2 is claimed for the links where round trips matter and where the link can be trusted.
TUNED_FROM, TUNED_TO = 18e6, 110e6
# What the raw stream takes, about: of slow links longer, because a run has few chunks there.
RUN_S, SLOW_RUN_S = 3.0, 6.0
SLOW = 10e6
PYTHON = sys.executable
LONGEST_S = 120


class LinkCase(Case):
    """A comparison on one link: rates in MB/s, and what part of the raw stream they are."""

    def show(self) -> None:
        """Prints it."""
        print(f"\n{self.name}")
        for name, samples in self.samples.items():
            rate = Range.of([s.bytes / s.seconds / 1e6 for s in samples])
            part = self.ratio(RAW, name, lambda s: s.seconds / s.bytes)
            chunks = sorted({s.chunk >> 20 for s in samples if s.chunk and name == DEFAULT})
            asked = f", chunk {'/'.join(map(str, chunks))} MiB" if chunks else ""
            print(f"  {name:<18} {rate.text(1)} MB/s, {part.text(3)} of raw{asked}")
        for line in [claim.line() for claim in self.claims] + [f"  {n}" for n in self.notes]:
            print(line, flush=True)

    def part_of_raw(self, name: str, must: float) -> None:
        """Claims that part of the raw stream's rate."""
        part = self.ratio(RAW, name, lambda s: s.seconds / s.bytes)
        self.claims.append(Claim(f"{name}, of raw", part, must, at_least=True))


@contextmanager
def far_side(radio: Radio, objects: int, size: int, delay: float) -> Iterator[tuple[int, int]]:
    """The camera and the raw sender on the far side: their ports."""
    options = {"host": CAMERA, "objects": objects, "size": size, "delay": delay}
    words = [f"--{name}={value}" for name, value in options.items()]
    command = radio.far([PYTHON, "-m", "bench.far", *words])
    process = subprocess.Popen(command, cwd=peers.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        if len(said) != 4:
            raise RuntimeError("the camera's side of the link did not start")
        yield int(said[1]), int(said[3])
    finally:
        process.kill()
        process.communicate()


def near(radio: Radio, what: str, port: int, **options: object) -> Sample:
    """One run of bench.near on the computer's side."""
    words = [f"--{name}={value}" for name, value in options.items()]
    command = radio.near([PYTHON, "-m", "bench.near", what, CAMERA, str(port), *words])
    return Sample.of(peers.run(command))


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


class Gphoto2:
    """gphoto2 fetching the whole card. `seconds` is without what it takes to list the card only, so
    that its start, handshake and listing do not count against it: they do not against others."""

    def __init__(self, radio: Radio, port: int, home: Path) -> None:
        self._radio = radio
        self._address = f"ptpip:{CAMERA}:{port}:{port}"
        self._home = home
        self.whole: list[float] = []  # seconds of the programs' whole runs

    def _run(self, directory: Path, what: str) -> float:
        program = shutil.which("gphoto2")
        assert program is not None
        began = time.monotonic()
        done = subprocess.run(
            self._radio.near([program, "--port", self._address, what]),
            cwd=directory,
            env={**os.environ, "HOME": str(self._home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"gphoto2 {what} failed:\n{done.stdout}{done.stderr}")
        return time.monotonic() - began

    def __call__(self, directory: Path, size: int) -> Sample:
        listing = self._run(directory, "--list-files")
        whole = self._run(directory, "--get-all-files")
        self.whole.append(whole)
        return Sample(size, whole - listing, 0.0, 0, 0)


def checked(run: Callable[[], Sample], directory: Path, store: Store) -> Callable[[], Sample]:
    """A run into files, with the check of what it wrote."""

    def run_and_check() -> Sample:
        sample = run()
        check_and_remove(directory, store)
        return sample

    return run_and_check


def compare(profile: Profile, directory: Path, seconds: float, rounds: int) -> LinkCase:
    """All contenders on one link, with a card that takes the raw stream `seconds`."""
    total = int(profile.rate * seconds)
    size = min(profile.object_size, total)
    objects = max(1, round(total / size))
    store = Store.synthetic(objects, size)
    title = f"{profile.name}: {profile.rate / 1e6:g} MB/s, {profile.rtt * 1e3:g} ms"
    title += f" ± {profile.jitter * 1e3:g}, camera {profile.operation * 1e3:g} ms"
    title += f"; {objects} × {size / 1e6:.1f} MB"
    with (
        tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as home,
        Radio.of(profile) as radio,
        far_side(radio, objects, size, profile.operation) as (camera, raw),
    ):

        def ours(**options: object) -> Callable[[], Sample]:
            def run() -> Sample:
                return near(radio, "download", camera, dir=directory, **options)

            return checked(run, directory, store)

        contenders = {
            RAW: lambda: near(radio, "raw", raw, bytes=objects * size),
            DEFAULT: ours(),
            TUNED: ours(depth=2, chunk=MIB),
            WHOLE: ours(chunk=0),
        }
        other = Gphoto2(radio, camera, Path(home))
        if shutil.which("gphoto2"):
            contenders[OTHERS] = checked(lambda: other(directory, objects * size), directory, store)
        case = alternate(title, contenders, rounds)
    case = LinkCase(case.name, case.samples)
    judge(case, profile, other.whole)
    if radio.carried:
        case.notes.append(f"the link dropped {radio.carried['dropped']} packets, its queue full")
    return case


def judge(case: LinkCase, profile: Profile, whole: list[float]) -> None:
    """What must hold on this link."""
    carried = Range.of([s.bytes / s.seconds / profile.rate for s in case.samples[RAW]])
    case.claims.append(Claim("the link itself, of its rate", carried, CARRIES, at_least=True))
    case.part_of_raw(DEFAULT, 0.90)
    if TUNED_FROM <= profile.rate <= TUNED_TO:
        case.part_of_raw(TUNED, 0.97)
    if OTHERS in case.samples:
        ratio = case.ratio(OTHERS, DEFAULT, lambda s: s.seconds)
        case.claims.append(Claim(f"{DEFAULT}, over {OTHERS}", ratio, 1.0, at_least=True))
        seconds = Range.of(whole).text()
        case.notes.append(
            f"gphoto2's whole runs took {seconds} s; counted is what listing does not"
        )
    else:
        case.notes.append("gphoto2 is missing here, so there is nothing to compare with")


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark; none, with the reason printed, where there can be no link."""
    if (reason := why_not()) is not None:
        print(f"\nwifi: not measured, {reason}", flush=True)
        return
    known = profiles()
    for name in QUICK if quick else CHOSEN:
        profile = known[name]
        seconds = 1.0 if quick else SLOW_RUN_S if profile.rate < SLOW else RUN_S
        # A run's files, and its part file beside them.
        with scratch(int(profile.rate * seconds) * 2) as (directory, _):
            yield compare(profile, directory, seconds, 1 if quick else 3)
