"""Does `read_into` a numpy array reach what a C receive loop reaches into such memory?

C has two ways and the better one counts: `recv` (every payload straight to its place, the next
packet's head in the same call) and, for small packets, a ring and a copy, which needs fewer calls.
Both sides use memory of the same kind, pages in use already ("touched") or fresh ones, and the same
operations: one GetObject (the Responder offers no partial reads), or partial reads, where the
session's own choice meets C with chunks of 8 MiB, the most a session asks for. What plain Python
reaches with `recv_into` is shown beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import calls, peers
from .bench_download import MIB, PACKETS
from .contenders import PTPFAST, RECV_INTO, command
from .harness import Case, Sample, alternate

WAYS = {"C recv": 1, "C ring": 0}  # payload of which so much is to come goes straight; 0: never
CHUNK = 8 * MIB


def contender(words: list[str]) -> Callable[[], Sample]:
    """A run into memory; the contenders compare the bytes themselves, after the clock stopped."""
    return lambda: Sample.of(peers.run(words))


def compare(size: int, packet: int, touch: bool, chunk: int, rounds: int, title: str) -> Case:
    """One size of packet, one kind of memory, one kind of reading."""
    with peers.Responder(objects=1, size=size, packet=packet, partial=bool(chunk)) as responder:
        port = responder.port
        options = {"touch": touch, "chunk": chunk}
        commands = {
            name: peers.initiator_command(port, "memory", direct=direct, **options)
            for name, direct in WAYS.items()
        }
        commands[PTPFAST] = command(PTPFAST, port, into="memory", touch=touch)
        if touch:  # a bytearray's pages are in use
            commands[RECV_INTO] = command(RECV_INTO, port, into="memory", chunk=chunk)
        contenders = {name: contender(words) for name, words in commands.items()}
        case = alternate(title, contenders, rounds)
        if rounds > 1:
            calls.add_to(case, commands)
    case.claim_against(list(WAYS), cpu=False)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    size, rounds = (20 * 10**6, 1) if quick else (10**9, 7)
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
