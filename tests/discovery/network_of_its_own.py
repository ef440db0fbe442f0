"""A network namespace with cameras, in which a search runs with its defaults; prints what it finds.

Run as a program in a new network namespace. One camera is known by its address only, one announces
itself over IPv4, and zeroconf announces one with a link-local IPv6 address only.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import asdict

import zeroconf

import ptpfast
from ptpfast.sim import SimulatedCamera

COMMANDS = (
    "ip link set lo up",
    "ip link add v0 type veth peer name v1",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip addr add 192.168.0.7/24 dev v0",
    "ip addr add 192.168.0.1/24 dev v0",
    "ip route add default via 192.168.0.9 dev v0",
    "ip -6 addr add fe80::1234/64 dev v0 nodad",
)
KIND = "_ptp._tcp.local."


def service() -> zeroconf.Zeroconf:
    running = zeroconf.Zeroconf(["192.168.0.7"], ip_version=zeroconf.IPVersion.V4Only)
    running.register_service(
        zeroconf.ServiceInfo(
            KIND, f"six.{KIND}", port=15740, parsed_addresses=["fe80::1234"], server="six.local."
        )
    )
    return running


def main() -> None:
    for command in COMMANDS:
        subprocess.run(command.split(), check=True)
    with (
        socket.create_server(("192.168.0.1", 55740)),
        SimulatedCamera(body="nikon-z8", objects=0, host="192.168.0.7", announce=True) as camera,
        SimulatedCamera(body="sony-a7m4", objects=0, host="192.168.0.7", announce=True),
    ):
        running = service()
        try:
            found = [asdict(each) for each in ptpfast.discover(5)]
        finally:
            running.close()
        sys.stdout.write(json.dumps({"port": camera.port, "found": found}))


if __name__ == "__main__":
    main()
