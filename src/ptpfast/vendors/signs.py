"""The signs by which a program finds a vendor's cameras in a network, as data.

A vendor's folder says in `signs` what its cameras announce, and how that is read. All arguments of
the functions come from the network: they may be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Told(NamedTuple):
    """What a camera tells about itself, as far as it does.

    Attributes:
        name: Its own name.
        model: Its model.
        serial_number: Its serial number.
        guid: Its GUID or UUID, as text.
        host: Its address, if it names one.
    """

    name: str = ""
    model: str = ""
    serial_number: str = ""
    guid: str = ""
    host: str = ""


def _nobody(_instance: str, _txt: Mapping[str, str]) -> Told | None:
    return None


@dataclass(frozen=True)
class Signs:
    """The signs of a vendor's cameras.

    Attributes:
        searches: The targets in SSDP of devices that listen for PTP/IP.
        manufacturer: How the manufacturer in a description begins, in small letters; a device with
            another one is no camera of this vendor.
        instance: Reads an instance of PTP/IP's service in mDNS and its TXT record; None if it is
            none of this vendor's.
        broadcasts: UDP port → reads a broadcast to it; None if that is no camera's.
        addresses: The addresses of cameras in networks of their own.
    """

    searches: tuple[str, ...] = ()
    manufacturer: str = ""
    instance: Callable[[str, Mapping[str, str]], Told | None] = _nobody
    broadcasts: Mapping[int, Callable[[bytes], Told | None]] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
