"""A simulated camera: a PTP/IP Responder on this machine, for tests and benchmarks.

    with SimulatedCamera(objects=10, size=25_000_000) as camera:
        ptpfast.pull(camera.address, "today")

It shares only the wire format, the datasets, the code tables and the vendors' files with the rest
of ptpfast. So it does not repeat an error of the client's side.
"""

from __future__ import annotations

from .content import Content, check, first_difference
from .counters import Transaction
from .data_in import EndData
from .faults import AT_END, FOR_EVER, KINDS, Fault, FaultTable
from .link import LINKS, Link
from .outlet import Writes
from .responder import SimulatedCamera
from .store import Store
from .stored import StoredObject
from .temperament import Temperament

__all__ = [
    "AT_END",
    "FOR_EVER",
    "KINDS",
    "LINKS",
    "Content",
    "EndData",
    "Fault",
    "FaultTable",
    "Link",
    "SimulatedCamera",
    "Store",
    "StoredObject",
    "Temperament",
    "Transaction",
    "Writes",
    "check",
    "first_difference",
]
