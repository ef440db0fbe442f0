"""Where in a RAW file its previews are: found by reading a few ranges of it."""

from .orientation import with_orientation
from .previews import Preview, find_preview

__all__ = ["Preview", "find_preview", "with_orientation"]
