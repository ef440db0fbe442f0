"""The standard vendor: cameras that follow ISO 15740 and MTP, and vendors without a folder."""

from __future__ import annotations

from ..vendor import Vendor

STANDARD = Vendor("standard")
