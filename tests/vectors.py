"""Reads `vectors/*.hex`: known packets and datasets as commented hex.

A vector is a `[name]`, a `source:` that says whose bytes they are, and lines of hex; `#` begins a
comment. A `lenient:` line marks bytes that ptpfast reads but would not write, and says in what.
"""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("vectors")


@dataclass
class Vector:
    """One known sequence of bytes."""

    name: str
    source: str = ""
    lenient: str = ""
    data: bytes = b""


def load(file: str) -> dict[str, Vector]:
    """The vectors of one file by name, in its order; ValueError for one that is not complete."""
    vectors: dict[str, Vector] = {}
    vector = Vector("")
    for line in (FOLDER / file).read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if line.startswith(("source:", "lenient:")):  # may hold a `#`, as issues are numbered
            key, _, value = line.partition(":")
            setattr(vector, key, value.strip())
        elif text.startswith("["):
            vector = Vector(text.strip("[]"))
            if vector.name in vectors:
                raise ValueError(f"{file}: {vector.name} is there twice")
            vectors[vector.name] = vector
        elif text:
            vector.data += bytes.fromhex(text)
    for vector in vectors.values():
        if not (vector.source and vector.data):
            raise ValueError(f"{file}: {vector.name} has no source or no bytes")
    return vectors


PACKETS = load("packets.hex")
DATASETS = load("datasets.hex")
