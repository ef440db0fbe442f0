"""The network interface towards the camera: wired, wireless or this computer.

Linux describes it in /sys and /proc; elsewhere only the loopback is known. This reads a few small
files.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

_SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface (netdevice(7))
_REQUEST_SIZE = 256


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface.

    Attributes:
        kind: `loopback`, `wired`, `wireless` or `unknown`.
        mb_per_s: The rate of its line, if it reports one.
        signal_dbm: The signal strength at a wireless one.
    """

    kind: str = "unknown"
    name: str = ""
    mb_per_s: float | None = None
    signal_dbm: float | None = None


def interface_of(local: str, root: Path = Path("/")) -> Interface:
    """Return the interface with this address; `root` holds /sys and /proc."""
    try:
        if ipaddress.ip_address(local.partition("%")[0]).is_loopback:
            return Interface("loopback", "lo")
    except ValueError:
        return Interface()
    name = _name_of(local)
    return described(name, root) if name else Interface()


def described(name: str, root: Path = Path("/")) -> Interface:
    """Return the interface as the system's files describe it."""
    folder = root / "sys/class/net" / name
    if (folder / "wireless").exists() or (folder / "phy80211").exists():
        return Interface("wireless", name, signal_dbm=_signal(name, root))
    # Bridges, tunnels and virtual links have no device behind them, and say nothing of a wire.
    if not (folder / "device").exists():
        return Interface("unknown", name)
    try:
        mbit = int((folder / "speed").read_text())
    except (OSError, ValueError):
        mbit = 0
    return Interface("wired", name, mbit / 8 if mbit > 0 else None)


def _signal(name: str, root: Path) -> float | None:
    try:
        lines = (root / "proc/net/wireless").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[0] == f"{name}:":
            try:
                level = float(words[3])
            except ValueError:
                return None
            return level if level < 0 else None  # else it is not in dBm
    return None


def _name_of(local: str) -> str | None:
    if sys.platform != "linux":
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            try:
                request = name.encode().ljust(_REQUEST_SIZE, b"\0")
                answer = fcntl.ioctl(sock, _SIOCGIFADDR, request)
            except OSError:
                continue  # it has no address
            if socket.inet_ntoa(answer[20:24]) == local:
                return name
    return None
