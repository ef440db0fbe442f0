"""The operations whose data is kept in a trace, those whose data is pictures, and where names are.

A code that is another operation of another vendor counts as pictures if it is pictures for one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .. import vendors
from ..ptp.codes import OperationCode
from ..vendors.traced import STANDARD_TRACED, Find

_VENDORS = [vendors.named(name) for name in vendors.NAMES]
_TRACED = [STANDARD_TRACED, *(vendor.traced for vendor in _VENDORS)]

# Operation → the places of offset and size among its parameters (`Traced.ranges`).
RANGES = {code: places for each in _TRACED for code, places in each.ranges.items()}
# Pictures, parts of pictures, thumbnails and live view frames.
PICTURES = frozenset(chain(RANGES, *(each.pictures for each in _TRACED)))
# Operations that ptpfast does not know may send anything, so their data is cut.
DATASETS = (
    frozenset(map(int, chain(OperationCode, *(vendor.operations or () for vendor in _VENDORS))))
    - PICTURES
)


def finders(operation: int) -> Iterable[Find]:
    """Return what finds names in the payload of an operation."""
    return [each.names[operation] for each in _TRACED if operation in each.names]
