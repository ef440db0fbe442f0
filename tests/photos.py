"""Cards with pictures that look like some: landscapes, drawn, with thumbnails and previews."""

from __future__ import annotations

import io
import math
import os
import random
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

from ptpfast.sim import Store
from raw_files import directory, place

FIRST = datetime(2026, 6, 12, 5, 40)
PALETTES = (
    ((250, 214, 165), (94, 129, 172), (38, 48, 66)),
    ((255, 173, 120), (120, 72, 112), (32, 26, 48)),
    ((198, 224, 240), (86, 140, 176), (28, 60, 58)),
    ((232, 236, 226), (146, 168, 150), (44, 66, 48)),
    ((60, 74, 110), (26, 34, 66), (8, 10, 22)),
    ((246, 226, 140), (202, 134, 84), (70, 44, 34)),
)
THUMBNAIL = (160, 120)


def landscape(seed: int, size: tuple[int, int]) -> Image.Image:
    """Ridges under a sky, with a sun."""
    chance = random.Random(seed)
    width, height = size
    low, high, land = PALETTES[chance.randrange(len(PALETTES))]
    sky = Image.new("RGB", (1, height))
    for y in range(height):
        share = min(1.0, y / height * 1.5)
        sky.putpixel((0, y), _between(high, low, share))
    image = sky.resize(size)
    draw = ImageDraw.Draw(image)
    x, y = width * chance.uniform(0.15, 0.85), height * chance.uniform(0.15, 0.45)
    radius = height * chance.uniform(0.04, 0.09)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), _between(low, (255,) * 3, 0.6))
    layers = chance.randrange(3, 6)
    for layer in range(layers):
        base = height * (0.45 + 0.5 * layer / layers)
        waves = [(chance.uniform(0.6, 5), chance.uniform(0, 7), 0.09 / (n + 1)) for n in range(5)]
        ridge = [
            (x, base - sum(height * a * math.sin(f * x / width * 6 + p) for f, p, a in waves))
            for x in range(0, width + 8, max(1, width // 160))
        ]
        shade = _between(low, land, (layer + 1) / layers)
        draw.polygon([*ridge, (width + 8, height), (0, height)], shade)
    return image


def _between(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def encoded(image: Image.Image, quality: int = 82) -> bytes:
    """A JPEG with a thumbnail in its EXIF segment."""
    small = io.BytesIO()
    image.resize(_fitted(image.size)).save(small, "JPEG", quality=80)
    head = b"Exif\0\0II*\0\x08\0\0\0" + bytes(6)
    whole = io.BytesIO()
    image.save(whole, "JPEG", quality=quality, exif=head + small.getvalue())
    return whole.getvalue()


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    share = min(THUMBNAIL[0] / size[0], THUMBNAIL[1] / size[1])
    return round(size[0] * share), round(size[1] * share)


def plain(size: tuple[int, int]) -> bytes:
    """A JPEG without EXIF, as in most RAW files."""
    whole = io.BytesIO()
    landscape(1, size).save(whole, "JPEG")
    return whole.getvalue()


def raw(preview: bytes, size: int, turned: int = 1) -> bytes:
    """As Nikon's RAW files: with this preview, and an orientation."""
    parts = {
        0: b"II*\0\x08\0\0\0",
        8: directory("<", [(0x112, 3, 1, turned), (0x14A, 4, 1, 1000)]),
        1000: directory("<", [(0x103, 3, 1, 6), (0x201, 4, 1, 4096), (0x202, 4, 1, len(preview))]),
        4096: preview,
    }
    return place(parts, max(size, 4096 + len(preview)))


def folder_of(path: Path, shots: int, *, raw_size: int = 600_000, days: int = 3) -> Store:
    """A card with RAW and JPEG of each shot, over some days; a few are upright or protected."""
    folder = path / "DCIM" / "100NCZ_9"
    folder.mkdir(parents=True)
    for shot in range(shots):
        upright = shot % 7 == 3
        large = encoded(landscape(shot, (800, 1200) if upright else (1200, 800)))
        taken = FIRST + timedelta(days=shot * days // shots, minutes=17 * shot, seconds=shot)
        names = [f"DSC_{1000 + shot}.JPG"]
        if shot % 5 != 4:
            names.append(f"DSC_{1000 + shot}.NEF")
        for name in names:
            made = folder / name
            made.write_bytes(large if name.endswith("JPG") else raw(large, raw_size))
            os.utime(made, (taken.timestamp(), taken.timestamp()))
            if shot % 11 == 5:
                made.chmod(0o444)
    return Store.from_folder(path)
