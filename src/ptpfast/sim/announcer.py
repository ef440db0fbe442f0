"""The announcements of a simulated camera, from when it listens until it is closed."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from typing import Any

from ..engine.process import Owner
from ..vendors.announcement import (
    Announcement,
    BroadcastAnnouncement,
    Identity,
    MdnsAnnouncement,
    SsdpAnnouncement,
)
from .body import Body
from .counters import Counters
from .ssdp import SsdpDevice

INSTALL = "pip install 'ptpfast[discovery]'"


class Announcer:
    """Tells the network about a camera, by all that its body announces.

    Args:
        address: where the camera listens.
        body: the camera.
        identity: GUID and name of its handshake.
        counters: of the camera.

    Raises:
        ValueError: the camera listens at all addresses, so that there is none to announce.
        ModuleNotFoundError: mDNS is needed, and its library is not installed.
        OSError: the interface has no multicast.

    Attributes:
        said: What is announced, in words.
    """

    def __init__(
        self,
        address: tuple[str, int],
        body: Body,
        identity: tuple[bytes, str],
        counters: Counters,
    ) -> None:
        self._address, self._counters = address, counters
        if ipaddress.ip_address(address[0]).is_unspecified:
            raise ValueError(
                "announce needs a host that is one address of this computer, such as 127.0.0.1"
            )
        self._owner = Owner("simulated camera")
        self._parts: list[_Mdns | SsdpDevice | _Broadcast] = []
        self.said: list[str] = []
        model = body.vendor.model
        serial_number = body.serial_number.lstrip("0") or "0"
        for each in model.announces(Identity(model.name, serial_number, *identity)):
            try:
                self._begin(each)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Say goodbye and stop; in a forked child, close its copies of the sockets."""
        while self._parts:
            self._parts.pop().close(is_ours=self._owner.is_us)

    def _begin(self, announcement: Announcement) -> None:
        match announcement:
            case MdnsAnnouncement():
                mdns = _Mdns(self._address, announcement)
                self._parts.append(mdns)
                self.said.append(f"mDNS: {mdns.name}")
            case SsdpAnnouncement():
                device = SsdpDevice(self._address[0], announcement, self._counters)
                self._parts.append(device)
                self.said.append(f"SSDP: {announcement.types[-1]}, described at {device.location}")
            case BroadcastAnnouncement():
                broadcast = _Broadcast(self._address[0], announcement)
                self._parts.append(broadcast)
                self.said.append(f"broadcast: UDP port {announcement.port} of {broadcast.to}")


class _Mdns:
    """A service in mDNS, on the interface of the camera's address alone."""

    def __init__(self, address: tuple[str, int], announcement: MdnsAnnouncement) -> None:
        try:
            import zeroconf
        except ModuleNotFoundError as error:
            text = f"announcing by mDNS needs zeroconf: {INSTALL}"
            raise ModuleNotFoundError(text, name="zeroconf") from error
        host, port = address
        self._running: Any = zeroconf.Zeroconf(
            interfaces=[host], ip_version=zeroconf.IPVersion.V4Only
        )
        kind = f"{announcement.service}.local."
        info = zeroconf.ServiceInfo(
            kind,
            f"{announcement.instance}.{kind}",
            port=port,
            parsed_addresses=[host],
            properties=dict(announcement.txt),
            server=f"{announcement.instance.replace(' ', '-')}.local.",
        )
        try:
            # Another camera of this name may be there: then the name gets a number.
            self._running.register_service(info, allow_name_change=True)
        except BaseException:
            self._running.close()
            raise
        self.name = info.name

    def close(self, *, is_ours: bool) -> None:
        """Withdraw the service. A forked child lacks the thread that could."""
        if is_ours:
            self._running.close()  # says goodbye


class _Broadcast:
    """A text that is sent to all computers of a network again and again."""

    def __init__(self, host: str, announcement: BroadcastAnnouncement) -> None:
        self.to = broadcast_address(host)
        self._data = announcement.text(host)
        self._announcement = announcement
        self._ended = threading.Event()
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._sock.bind((host, 0))
        except BaseException:
            self._sock.close()
            raise
        self._thread = threading.Thread(target=self._run, name="camera broadcast", daemon=True)
        self._thread.start()

    def close(self, *, is_ours: bool) -> None:
        """Stop."""
        if is_ours:
            self._ended.set()
            self._thread.join()
        self._sock.close()

    def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError):  # the interface is down for a while
                self._sock.sendto(self._data, (self.to, self._announcement.port))
            if self._ended.wait(self._announcement.every_s):
                return


def broadcast_address(host: str) -> str:
    """Return the broadcast address of a host's network: of loopback, or of 256 addresses.

    The known text of a body's broadcast has such a network; the netmask is not asked for.
    """
    address = ipaddress.IPv4Address(host)
    length = 8 if address.is_loopback else 24
    return str(ipaddress.ip_network((address, length), strict=False).broadcast_address)
