"""One object from camera to disk or memory: chunks, resume, journal, verification."""

from __future__ import annotations

from .chunking import ChunkPolicy
from .download import Download, Transfer
from .pace import Pace
from .reading import ObjectReader, Progress
from .verify import VERIFY

__all__ = ["VERIFY", "ChunkPolicy", "Download", "ObjectReader", "Pace", "Progress", "Transfer"]
