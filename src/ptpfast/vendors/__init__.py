"""The vendors ptpfast knows. A new one is a new file here and its name in `VENDORS`."""

from __future__ import annotations

from ..datasets import DeviceInfo
from .bulk import BulkListing
from .nikon import NIKON
from .standard import STANDARD
from .vendor import Model, ObjectRange, PartialRead, Quirks, Reply, Vendor

VENDORS: dict[str, Vendor] = {vendor.name: vendor for vendor in (STANDARD, NIKON)}


def select(device_info: DeviceInfo) -> Vendor:
    """The vendor of a camera by its DeviceInfo; `STANDARD` for one without a file here."""
    return next((vendor for vendor in VENDORS.values() if vendor.matches(device_info)), STANDARD)


__all__ = [
    "STANDARD",
    "VENDORS",
    "BulkListing",
    "Model",
    "ObjectRange",
    "PartialRead",
    "Quirks",
    "Reply",
    "Vendor",
    "select",
]
