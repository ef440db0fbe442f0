"""One object from camera to disk or memory: chunks, resume, journal, verification."""

from __future__ import annotations

from ..link.chunking import ChunkPolicy
from ..link.pace import Pace
from .download import Download, Transfer
from .hashing import Algorithm
from .options import DownloadOptions
from .reading import ObjectReader, Progress
from .verify import VERIFY, Verify

__all__ = [
    "VERIFY",
    "Algorithm",
    "ChunkPolicy",
    "Download",
    "DownloadOptions",
    "ObjectReader",
    "Pace",
    "Progress",
    "Transfer",
    "Verify",
]
