"""Where in a RAW file its previews are: found by reading a few ranges of it."""

from .previews import Preview, find_preview

__all__ = ["Preview", "find_preview"]
