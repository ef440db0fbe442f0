"""The process that runs one target, under sanitizers: `TARGET KIND [libFuzzer's arguments]`.

With the `fuzzer` build libFuzzer chooses the inputs; with `asan` a few lines here do, by chance.
"""

from __future__ import annotations

import mmap
import random
import sys
import time
from pathlib import Path


def guided(target: str, arguments: list[str]) -> None:
    """libFuzzer with the counters of the compiled modules, and of the target's Python functions."""
    import atheris

    from .parsers import WORK
    from .targets import TARGETS

    for function in TARGETS[target].python:
        atheris.instrument_func(function)
    # To merge, libFuzzer starts itself again, by its first argument.
    again = WORK / f"{target}.sh"
    again.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m fuzz.target_process {target} fuzzer "$@"\n'
    )
    again.chmod(0o755)
    atheris.Setup([str(again), *arguments], TARGETS[target].run)
    atheris.Fuzz()


def unguided(target: str, arguments: list[str]) -> None:
    """Known inputs, changed at random, until the time is over. Understands what `parsers` says."""
    from .targets import TARGETS

    options = dict(a[1:].split("=", 1) for a in arguments if a.startswith("-"))
    folders = [Path(a) for a in arguments if not a.startswith("-")]
    inputs = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*"))]
    chance = random.Random(int(options["seed"]))
    longest, until = int(options["max_len"]), time.monotonic() + float(options["max_total_time"])
    run, count, most = TARGETS[target].run, 0, int(options["runs"])
    with open(options["artifact_prefix"] + "last-input", "w+b") as file:
        file.truncate(longest + 4)
        with mmap.mmap(file.fileno(), longest + 4) as last:  # outlives a crash
            while count != most and time.monotonic() < until:
                data = changed(chance, inputs)[:longest]
                last[: len(data) + 4] = len(data).to_bytes(4, "little") + data
                run(data)
                count += 1
    print(f"stat::number_of_executed_units: {count}")


def changed(chance: random.Random, inputs: list[bytes]) -> bytes:
    """One of the inputs, or two joined, with a few changes."""
    data = bytearray(chance.choice(inputs))
    if chance.random() < 0.2:
        other = chance.choice(inputs)
        data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]
    for _ in range(chance.randint(0, 5)):
        at = chance.randint(0, len(data))
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                number = chance.choice((0, 1, 7, 8, 12, 255, 0xFFFF, 1 << 31, (1 << 32) - 1))
                data[at : at + 4] = number.to_bytes(4, "little")
            case 2:
                del data[at : at + chance.randint(1, 8)]
            case 3:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(data)


if __name__ == "__main__":
    (guided if sys.argv[2] == "fuzzer" else unguided)(sys.argv[1], sys.argv[3:])
