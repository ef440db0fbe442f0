"""Is a download to a file as fast as a C program can make it, at the same CPU?

The C program (peers/initiator.c) does the same operations and the same work on files: a part file
with its room reserved, ring and gathered pwritev, fsync, rename, fsync of the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from . import calls, peers
from .contenders import DROPPED, PTPFAST, C, command
from .content import WrongContent, check_file
from .harness import Case, Sample, alternate, scratch

MIB = 1 << 20
FILES, FILE_SIZE = 20, 25 * 10**6
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


def contender(command: list[str], directory: Path, objects: int, size: int) -> Callable[[], Sample]:
    """A run into files, with the check of what it wrote."""

    def run() -> Sample:
        sample = Sample.of(peers.run(command))
        check_and_remove(directory, objects, size)
        return sample

    return run


def measure(
    title: str,
    commands: dict[str, list[str]],
    directory: Path,
    objects: int,
    size: int,
    rounds: int,
) -> Case:
    """All of them in turn, and their system calls."""
    contenders = {
        name: contender(command, directory, objects, size) for name, command in commands.items()
    }
    if DROPPED in commands:  # leaves no files
        contenders[DROPPED] = lambda: Sample.of(peers.run(commands[DROPPED]))
    case = alternate(title, contenders, rounds)
    if rounds > 1:
        calls.add_to(case, commands, directory)
    return case


def whole(directory: Path, objects: int, size: int, packet: int, rounds: int, title: str) -> Case:
    """GetObject: one data phase for each object."""
    with peers.Responder(objects=objects, size=size, packet=packet) as responder:
        port = responder.port
        commands = {
            C: peers.initiator_command(port, "file", dir=directory),
            PTPFAST: command(PTPFAST, port, into="file", dir=directory, chunk=0),
            DROPPED: peers.initiator_command(port, "discard"),
        }
        case = measure(title, commands, directory, objects, size, rounds)
    case.claim_against([C])
    return case


def chunked(directory: Path, objects: int, size: int, rounds: int, title: str) -> Case:
    """Partial reads: the session's own choice against C with each size of chunk."""
    with peers.Responder(objects=objects, size=size, packet=65536, end_empty=True) as responder:
        port = responder.port
        commands = {
            f"C {mib} MiB": peers.initiator_command(port, "file", dir=directory, chunk=mib * MIB)
            for mib in ((1, 2, 4, 8) if rounds > 1 else (2,))
        }
        rivals = list(commands)
        commands[PTPFAST] = command(PTPFAST, port, into="file", dir=directory)
        case = measure(title, commands, directory, objects, size, rounds)
    case.claim_against(rivals)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    shapes = [(4, 5 * 10**6)] if quick else [(FILES, FILE_SIZE), (1, 10**9)]
    rounds = 1 if quick else 9
    many = 1 if quick else 21  # one round's ratio may be a tenth off
    with scratch(max(objects * size for objects, size in shapes)) as (directory, kind):
        for objects, size in shapes:
            what = f"{objects} × {size // 10**6} MB to {kind}"
            for packet_name, packet in PACKETS.items():
                title = f"download, {what}, GetObject, {packet_name} packets"
                yield whole(directory, objects, size, packet, many, title)
            title = f"download, {what}, GetPartialObject, default chunking, 64 KiB packets"
            yield chunked(directory, objects, size, rounds, title)
    if not quick:
        with scratch(FILES * FILE_SIZE, on_disk=True) as (directory, _):
            title = f"files that reach a disk, {FILES} × {FILE_SIZE // 10**6} MB, 64 KiB packets"
            yield whole(directory, FILES, FILE_SIZE, PACKETS["64 KiB"], rounds, title)
