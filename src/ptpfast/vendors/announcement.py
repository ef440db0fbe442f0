"""The ways in which a body tells the network that it is there, as data.

A vendor's folder says what its bodies announce, in `announcement`. The simulated camera sends it
when it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

BASE = "{base}"  # stands in documents for `http://HOST:PORT`
PTP_SERVICE = "_ptp._tcp"  # of PTP/IP in mDNS (CIPA DC-005)


class Identity(NamedTuple):
    """The identity of one camera.

    Attributes:
        model: The model, as in its DeviceInfo.
        serial_number: The serial number, without zeros in front.
        guid: Its GUID in the handshake.
        nickname: Its name in the handshake.
    """

    model: str
    serial_number: str
    guid: bytes
    nickname: str

    @property
    def uuid(self) -> str:
        """The GUID as text."""
        return str(UUID(bytes=self.guid))

    @property
    def mac(self) -> str:
        """The last six bytes of the GUID, which are the MAC address on bodies that announce it."""
        return self.guid[-6:].hex()


@dataclass(frozen=True)
class MdnsAnnouncement:
    """A service in mDNS.

    Attributes:
        instance: The name of the camera among those of its kind.
        txt: The TXT record.
        service: The kind of service.
    """

    instance: str
    txt: Mapping[str, str] = field(default_factory=dict)
    service: str = PTP_SERVICE


@dataclass(frozen=True)
class SsdpAnnouncement:
    """A UPnP device in SSDP.

    Attributes:
        udn: The device's name: `uuid:…`.
        types: The types of the device and its services, for which it can be searched.
        server: The SERVER header.
        path: The path of the description that LOCATION names.
        documents: The texts that are served over HTTP, by path; `BASE` stands for the server.
    """

    udn: str
    types: tuple[str, ...]
    server: str
    path: str
    documents: Mapping[str, str]


@dataclass(frozen=True)
class BroadcastAnnouncement:
    """A text that is broadcast again and again.

    Attributes:
        port: The UDP port of the listeners.
        text: Returns the text, from the address of the camera.
        every_s: Seconds between two broadcasts.
    """

    port: int
    text: Callable[[str], bytes]
    every_s: float


Announcement = MdnsAnnouncement | SsdpAnnouncement | BroadcastAnnouncement
Announces = Callable[[Identity], tuple[Announcement, ...]]


def nothing(_: Identity) -> tuple[Announcement, ...]:
    """Announce nothing, as a body does of which no announcement is known."""
    return ()
