"""Does `read_into` a numpy array reach what a C receive loop reaches into such memory?

C has two ways and the better one counts: `recv` (every payload straight to its place, the next
packet's head in the same call) and, for small packets, a ring and a copy, which needs fewer calls.
Both sides use memory of the same kind, pages in use already ("touched") or fresh ones, and the same
operations: one GetObject (the Responder offers no partial reads), or partial reads, where the
session's own choice meets C with chunks of 8 MiB, the most a session asks for. The memory is in ten
arrays, and everybody has each of them in turn (turns.py). What plain Python reaches with
`recv_into` is shown beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from . import calls, peers
from .bench_download import MIB, PACKETS
from .contenders import PTPFAST, RECV_INTO, command
from .harness import Case, Sample
from .turns import interleave

WAYS = {"C recv": 1, "C ring": 0}  # payload of which so much is to come goes straight; 0: never
CHUNK = 8 * MIB
ARRAYS = 10  # of a tenth of the size each, which the contenders have in turn


def compare(size: int, packet: int, touch: bool, chunk: int, rounds: int, title: str) -> Case:
    """One size of packet, one kind of memory, one kind of reading; the contenders compare the bytes
    themselves, after the clock stopped."""
    objects = 1 if rounds == 1 else ARRAYS
    options = {"touch": touch, "chunk": chunk}
    with ExitStack() as stack:

        def port() -> int:
            camera = peers.Responder(
                objects=objects, size=size // objects, packet=packet, partial=bool(chunk)
            )
            return stack.enter_context(camera).port

        commands = {
            name: peers.initiator_command(port(), "memory", direct=direct, **options)
            for name, direct in WAYS.items()
        }
        commands[PTPFAST] = command(PTPFAST, port(), into="memory", touch=touch)
        case = interleave(title, commands, lambda name: None, rounds)
        if touch:  # a bytearray's pages are in use
            commands[RECV_INTO] = command(RECV_INTO, port(), into="memory", chunk=chunk)
            runs = (peers.run(commands[RECV_INTO]) for _ in range(min(rounds, 3)))
            case.samples[RECV_INTO] = [Sample.of(report) for report in runs]
        if rounds > 1:
            calls.add_to(case, commands)
    case.claim_against(list(WAYS), cpu=False)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    size, rounds = (20 * 10**6, 1) if quick else (10**9, 9)
    what = f"read_into numpy, {size // 10**6} MB"
    for name, packet in PACKETS.items():
        if quick and name != "8 KiB":
            continue
        title = f"{what}, touched pages, GetObject, {name} packets"
        yield compare(size, packet, True, 0, rounds, title)
    title = f"{what}, touched pages, GetPartialObject, 64 KiB packets"
    yield compare(size, PACKETS["64 KiB"], True, CHUNK, rounds, title)
    if quick:
        return
    title = f"{what}, fresh pages, GetObject, 64 KiB packets"
    yield compare(size, PACKETS["64 KiB"], False, 0, rounds, title)
