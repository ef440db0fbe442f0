"""A card of each simulated body, through drops of the connection and `kill -9`, file by file.

Where a body hands pictures over in several ways, each way has its card. The pauses that some bodies
insist on are short here; none is left out.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from soak.camera_process import Trap, Watch, WatchedContent
from soak.folder import Checked

import pulling_process
from ptpfast import vendors
from ptpfast.sim import Fault, SimulatedCamera, Store
from ptpfast.sim.counters import Observer
from ptpfast.vendors import Vendor
from ptpfast.vendors.fujifilm.body import showing_raw
from ptpfast.vendors.fujifilm.codes import CameraState
from ptpfast.vendors.fujifilm.conduct import offer
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection

# Every way of every body: half a minute each.
pytestmark = [pytest.mark.matrix, pytest.mark.tools]

PAIRS = 200
SMALL, LARGE = (20_000, 60_000), (1_000_000, 2_500_000)
LARGE_FILES = 4
DROPS, KILLS = 12, 5
BREAKS = ("drop", "drop_command", "reset")
SHORT = PcConnection(hold_s=0.05, pause_s=0.02, locked_s=0.05)
MOST_RUNS = 3 * KILLS


class Way(NamedTuple):
    """How a body hands its pictures over: another vendor, and what its owner does beforehand."""

    body: str
    changed: Callable[[Vendor], Vendor] = lambda vendor: vendor
    prepare: Callable[[SimulatedCamera], object] = lambda _: None


def asking(vendor: Vendor) -> Vendor:
    """A body that asks its owner about computers, with short pauses."""
    return dataclasses.replace(vendor, body=with_pc_connection(vendor.model, SHORT))


def queueing(vendor: Vendor) -> Vendor:
    """A body that sends what its owner has chosen."""
    rules = dataclasses.replace(SHORT, transfers=True)
    return dataclasses.replace(vendor, body=with_pc_connection(vendor.model, rules))


def with_raw(vendor: Vendor) -> Vendor:
    """A Fujifilm body that saves its RAF files on the computer."""
    return dataclasses.replace(vendor, body=showing_raw(vendor.model))


def mark_all(sim: SimulatedCamera) -> None:
    for stored in sim.store.files():
        sim.mark(stored.handle)


ASKING = {"nikon-z6-3", "nikon-z8", "nikon-z9"}
WAYS = {body: Way(body, asking) if body in ASKING else Way(body) for body in vendors.BODIES} | {
    "nikon-z8, send queue": Way("nikon-z8", queueing, mark_all),
    "nikon-d7200, transfer list": Way("nikon-d7200", prepare=mark_all),
    "fuji-xt4, chosen": Way(
        "fuji-xt4", prepare=lambda sim: offer(sim.body, CameraState.MULTIPLE_TRANSFER)
    ),
    "fuji-xt4, PC AutoSave": Way(
        "fuji-xt4", with_raw, lambda sim: offer(sim.body, CameraState.AUTO_SAVE)
    ),
}


# Why is in docs/cameras.md. Of a Panasonic body no RAW file is known over a network.
JPEG_ONLY = {"fuji-xt2", "fuji-xt4", "fuji-xt4, chosen", "panasonic-bgh1", "ricoh-theta-m15"}


def card_of(vendor: Vendor, watch: Watch, chance: random.Random, pairs: int) -> Store:
    """Pairs of RAW and JPEG; as many JPEGs where the body shows no RAW (docs/cameras.md)."""
    store = Store(model=vendor.model, seed=chance.random().hex())
    large = set(chance.sample(range(pairs), min(LARGE_FILES, pairs)))
    while len(store.files()) < 2 * pairs:
        size = chance.randint(*(LARGE if len(store.files()) // 2 in large else SMALL))
        store.add_shot(size, jpeg_size=chance.randint(*SMALL))
    for stored in store.files():
        assert stored.content is not None
        store.replace(stored.handle, content=WatchedContent(stored.content, watch))
    return store


def drops(chance: random.Random, files: int) -> list[Fault]:
    """Inside the bytes of an object, and before any operation."""
    found = []
    for number in range(DROPS):
        inside = chance.randint(1, SMALL[0]) if number % 3 else None
        found.append(Fault(BREAKS[number % len(BREAKS)], after=inside, at=chance.randint(2, files)))
    return found


class Pulls:
    """Runs of the pulling process, one after the other, into one folder."""

    def __init__(self, way: Way, sim: SimulatedCamera, watch: Watch, place: Path) -> None:
        self._sim, self._watch = sim, watch
        self._order = {
            "body": way.body,
            "port": sim.port,
            "gate": sim.gate_port,
            "folder": str(place / "card"),
        }
        self.folder = Checked(place / "card", sim.store)

    def run(self, **amount: int) -> dict[str, Any] | None:
        """What came of a run; None if it was killed, after so many bytes or operations."""
        process = subprocess.Popen(
            [sys.executable, pulling_process.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._watch.set(Trap(process.pid, signal.SIGKILL, **amount) if amount else None)
        said, _ = process.communicate(json.dumps(self._order) + "\n")
        self._watch.set(None)
        # The body has noticed that nobody is there.
        assert self._sim.wait_for(
            lambda: self._sim.sessions_opened == self._sim.sessions_closed + self._sim.unclean_ends
        )
        assert self.folder.look() == []
        if process.returncode == -signal.SIGKILL:
            return None
        assert process.returncode == 0, said
        came: dict[str, Any] = json.loads(said)
        return came


def amounts(chance: random.Random, sizes: int, files: int) -> Iterator[dict[str, int]]:
    """When each kill comes: by bytes of objects, or by operations, which may be between them."""
    for number in itertools.count():
        if number % 2:
            yield {"operations": chance.randint(2, files // KILLS)}
        else:
            yield {"bytes": chance.randint(1, sizes // (2 * KILLS))}


@pytest.mark.parametrize("name", WAYS)
def test_a_card_arrives_through_drops_and_kills_file_by_file(name: str, tmp_path: Path) -> None:
    way, chance = WAYS[name], random.Random(f"card of {name}")
    watch = Watch(None)
    vendor = way.changed(vendors.with_body(way.body))
    store = card_of(vendor, watch, chance, PAIRS)
    files = store.files()
    raws = sum(not stored.name.endswith(".JPG") for stored in files)
    assert (len(files), raws) == (2 * PAIRS, 0 if name in JPEG_ONLY else PAIRS)
    with SimulatedCamera(vendor, store, faults=drops(chance, len(files)), pending_s=0.5) as sim:
        sim.counters.observer = Observer(lambda _: watch.operation(), lambda _: None)
        way.prepare(sim)
        pulls = Pulls(way, sim, watch, tmp_path)
        sizes = sum(stored.size for stored in files)
        kills, plan = 0, amounts(chance, sizes, len(files))
        for amount in itertools.islice(plan, MOST_RUNS):
            # A drop before a session is open ends a run before its kill.
            kills += pulls.run(**amount) is None
            if kills == KILLS:
                break
        assert kills == KILLS
        came = None
        for _ in range(MOST_RUNS):
            came = pulls.run()
            if came is not None and came.get("ok"):
                break
        assert came is not None
        assert came.get("ok"), came
        assert len(set(map(str, sim.faults.fired))) == len(set(map(str, sim.faults)))
        last = pulls.run()
        assert last is not None
        assert (last.get("ok"), last.get("downloaded")) == (True, 0), last
        assert pulls.folder.finish() == []
        assert sim.defects == 0
