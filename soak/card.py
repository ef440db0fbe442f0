"""The cards of the soak: the same for the camera that serves one and for who checks the folder."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ptpfast.sim import Store
from ptpfast.sim.content import Content, Page
from ptpfast.sim.store import FIRST_DATE

IN_FOLDER = 999  # files of a folder, as DCF has it
SMALL = (20_000, 5_000_000)
LARGE = (30_000_000, 200_000_000)


@dataclass(frozen=True)
class Card:
    """What is on a card. All of it follows from these numbers."""

    seed: str
    small: int  # objects of `small_sizes`, from the smallest to the largest
    large: int
    small_sizes: tuple[int, int] = SMALL
    large_sizes: tuple[int, int] = LARGE

    def sizes(self) -> list[int]:
        """Of all files, in the card's order."""
        chance = random.Random(f"{self.seed} sizes")
        least, most = map(math.log, self.small_sizes)
        sizes = [round(math.exp(chance.uniform(least, most))) for _ in range(self.small)]
        sizes += [chance.randint(*self.large_sizes) for _ in range(self.large)]
        chance.shuffle(sizes)
        return sizes

    def store(self, watch: Callable[[Content], Content] | None = None) -> Store:
        """The card; `watch` stands between the camera and each file's bytes."""
        store, page = Store(seed=self.seed), Page(self.seed)
        dcim = store.add_folder("DCIM", captured=FIRST_DATE)
        folder = dcim
        for number, size in enumerate(self.sizes()):
            if number % IN_FOLDER == 0:
                name = f"{100 + number // IN_FOLDER}SOAK_"
                folder = store.add_folder(name, parent=dcim, captured=FIRST_DATE)
            content: Content = page.content(number, size)
            store.add(
                f"IMG_{number + 1:05d}.{'MOV' if size >= self.large_sizes[0] else 'DNG'}",
                content if watch is None else watch(content),
                parent=folder,
                captured=FIRST_DATE + number * timedelta(seconds=7),
            )
        return store
