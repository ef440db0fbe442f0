"""A camera that does what ISO 15740 and MTP say and nothing else; also every vendor without a
file."""

from __future__ import annotations

from ..vendor import Vendor

STANDARD = Vendor("standard")
