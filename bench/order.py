"""The order in which contenders take turns."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence


def orders(names: Sequence[str], seed: int = 0) -> Iterator[list[str]]:
    """The order of each turn of all: by chance, the same in every run, and nobody comes twice in
    succession. Whoever did would find the processor's cache as it had left it."""
    chance, last = random.Random(seed), None
    while True:
        order = chance.sample(names, len(names))
        if len(names) > 1 and order[0] == last:
            at = chance.randrange(1, len(names))
            order[0], order[at] = order[at], order[0]
        last = order[-1]
        yield order
