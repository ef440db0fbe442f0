"""Is a download to a file as fast as a C program can make it, at the same CPU?

The C program (peers/initiator.c) does the same operations and the same work on files: a part file
with its room reserved, ring and gathered pwritev, fsync, rename, fsync of the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import calls, peers
from .contenders import DROPPED, PTPFAST, C, command
from .content import WrongContent, check_file
from .harness import Case, Sample, alternate, scratch
from .turns import interleave

MIB = 1 << 20
FILES, FILE_SIZE = 20, 25 * 10**6
CHUNKS = (1, 2, 4, 8)  # MiB
PACKETS = {"8 KiB": 8192, "64 KiB": 65536, "1 MiB": MIB}


def name_of(handle: int) -> str:
    """What the Responder calls an object."""
    return f"DSC_{handle:04}.NEF"


def check_and_remove(directory: Path, objects: int, size: int) -> None:
    """All files are there, as they should be, and nothing else is; they are gone then."""
    for handle in range(1, objects + 1):
        path = directory / name_of(handle)
        check_file(handle, path, size)
        path.unlink()
    if left := [path.name for path in directory.iterdir()]:
        raise WrongContent(f"left behind: {left}")


@dataclass(frozen=True)
class Pair:
    """What is compared: how many objects of which size, and the camera's Data packets."""

    objects: int
    size: int
    packet: int
    end_empty: bool = False

    def responder(self) -> peers.Responder:
        """A camera with them."""
        return peers.Responder(
            objects=self.objects, size=self.size, packet=self.packet, end_empty=self.end_empty
        )


# What starts a contender, given its camera's port and its folder.
Starts = Callable[[int, Path], list[str]]


def measure(
    title: str,
    pair: Pair,
    starts: dict[str, Starts],
    directory: Path,
    rounds: int,
    *,
    by_file: bool = True,
) -> Case:
    """All of them in turn, each with a camera and a folder of its own, and their system calls;
    by_file: of several files they take turns file by file."""
    with ExitStack() as stack:
        commands: dict[str, list[str]] = {}
        folders: dict[str, Path] = {}
        for number, (name, start) in enumerate(starts.items()):
            folders[name] = directory / str(number)
            folders[name].mkdir()
            port = stack.enter_context(pair.responder()).port
            commands[name] = start(port, folders[name])

        def check(name: str) -> None:
            check_and_remove(folders[name], pair.objects, pair.size)

        def alone(name: str) -> Sample:
            sample = Sample.of(peers.run(commands[name]))
            check(name)
            return sample

        if by_file and pair.objects > 1:
            case = interleave(title, commands, check, rounds)
        else:
            turns = {name: partial(alone, name) for name in commands}
            case = alternate(title, turns, rounds)
        if rounds > 1:
            calls.add_to(case, commands, directory)
        for folder in folders.values():
            folder.rmdir()
    return case


def dropped(pair: Pair, rounds: int) -> list[Sample]:
    """The most the camera can send: C, which receives and forgets."""
    with pair.responder() as responder:
        words = peers.initiator_command(responder.port, "discard")
        return [Sample.of(peers.run(words)) for _ in range(min(rounds, 5))]


def whole(directory: Path, pair: Pair, rounds: int, title: str, *, by_file: bool = True) -> Case:
    """GetObject: one data phase for each object."""
    starts: dict[str, Starts] = {
        C: lambda port, folder: peers.initiator_command(port, "file", dir=folder),
        PTPFAST: lambda port, folder: command(PTPFAST, port, into="file", dir=folder, chunk=0),
    }
    case = measure(title, pair, starts, directory, rounds, by_file=by_file)
    case.samples[DROPPED] = dropped(pair, rounds)
    case.claim_against([C])
    return case


def _chunks_in_c(chunk: int) -> Starts:
    return lambda port, folder: peers.initiator_command(port, "file", dir=folder, chunk=chunk)


def chunked(directory: Path, objects: int, size: int, rounds: int, title: str) -> Case:
    """Partial reads: the session's own choice against C with each size of chunk."""
    sizes = CHUNKS if rounds > 1 else CHUNKS[:1]
    starts = {f"C {mib} MiB": _chunks_in_c(mib * MIB) for mib in sizes}
    rivals = list(starts)
    starts[PTPFAST] = lambda port, folder: command(PTPFAST, port, into="file", dir=folder)
    pair = Pair(objects, size, 65536, end_empty=True)
    case = measure(title, pair, starts, directory, rounds)
    case.claim_against(rivals)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    shapes = [(4, 5 * 10**6)] if quick else [(FILES, FILE_SIZE), (1, 10**9)]
    rounds = 1 if quick else 9
    many = 1 if quick else 21  # one round's ratio may be a tenth off
    at_once = (len(CHUNKS) + 1) * shapes[0][0] * shapes[0][1]
    with scratch(max(at_once, shapes[-1][0] * shapes[-1][1])) as (directory, kind):
        for objects, size in shapes:
            what = f"{objects} × {size // 10**6} MB to {kind}"
            for packet_name, packet in PACKETS.items():
                title = f"download, {what}, GetObject, {packet_name} packets"
                yield whole(directory, Pair(objects, size, packet), many, title)
            title = f"download, {what}, GetPartialObject, default chunking, 64 KiB packets"
            yield chunked(directory, objects, size, rounds, title)
    if not quick:
        with scratch(FILES * FILE_SIZE, on_disk=True) as (directory, _):
            title = f"files that reach a disk, {FILES} × {FILE_SIZE // 10**6} MB, 64 KiB packets"
            pair = Pair(FILES, FILE_SIZE, PACKETS["64 KiB"])
            # One's files shall not be on their way to the disk while another has its turn.
            yield whole(directory, pair, rounds, title, by_file=False)
