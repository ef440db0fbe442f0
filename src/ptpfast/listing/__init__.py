"""From object handles to an `ObjectTable`: descriptions, paths, true sizes. One bad object is set
aside.

Modules: `camera` (what is asked of the session, and how often), `asking` (what to do when a request
ends the connection), `many` (one small operation for each of many objects), `cards` (which there
are, and their handles), `describing` (what a camera says of an object), `bulk` (of many at once),
`folders` (paths), `opening` (folders listed without their contents), `recall` (what of the index
still holds), `listing` (all of it together, a piece at a time); and `thumbnails`.
"""

from __future__ import annotations

from ..link.describing import describe_each, describe_one
from ..link.tally import ListingProgress, Tally
from .cards import handles_of, storages_of
from .folders import Folders
from .formats import Formats
from .listing import Listing
from .thumbnails import thumbnail, thumbnails

__all__ = [
    "Folders",
    "Formats",
    "Listing",
    "ListingProgress",
    "Tally",
    "describe_each",
    "describe_one",
    "handles_of",
    "storages_of",
    "thumbnail",
    "thumbnails",
]
