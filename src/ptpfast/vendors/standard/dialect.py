"""The dialect of cameras without a vendor's folder: the standard, and Android's 64-bit read."""

from __future__ import annotations

from ..dialect import Dialect
from ..reads import GET_PARTIAL_OBJECT, PartialRead
from .codes import StandardOperation

ANDROID = "android.com"  # of VendorExtensionDesc: 0x95C1 is a number of Android's then (libgphoto2)
# handle, offset (low half first), size (AOSP's MtpServer, sendObjectPartial64).
GET_PARTIAL_OBJECT_64 = PartialRead(
    StandardOperation.GetPartialObject64,
    64,
    lambda handle, offset, size: (handle, offset & 0xFFFFFFFF, offset >> 32, size),
)


class StandardDialect(Dialect):
    """The standard's behaviour."""

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the standard's read below 4 GiB, Android's above where it is meant."""
        if ANDROID in self.info.vendor_extension_desc:
            return (GET_PARTIAL_OBJECT, GET_PARTIAL_OBJECT_64)
        return (GET_PARTIAL_OBJECT,)
