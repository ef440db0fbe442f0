"""One object from camera to disk or memory: chunks, resume, journal, verification."""

from __future__ import annotations

from .chunking import ChunkPolicy
from .download import Download, Transfer
from .reading import ObjectReader, Progress

__all__ = ["ChunkPolicy", "Download", "ObjectReader", "Progress", "Transfer"]
