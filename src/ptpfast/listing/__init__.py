"""List a card: from object handles to an `ObjectTable` with paths and sizes. Bad objects are set
aside.

- `camera`: the requests of a listing, and retries. `asking`: requests that end the connection.
- `cards`: storages and their handles. `opening`: folders whose contents the list lacks.
- `describing`: one object. `bulk`: many with one request. `many`: one small request for each.
- `folders`: paths. `recall`: which parts of the index are still true. `thumbnails`.
- `listing`: all of it, piece by piece.
"""

from __future__ import annotations

from ..link.describing import describe_each, describe_one
from ..link.tally import ListingProgress, Tally
from .cards import handles_of, storages_of
from .folders import Folders
from .formats import Formats, wanted_formats
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
    "wanted_formats",
]
