"""A Sony body in a network of its own, with what lets others find it: SSDP, and its description.

Run as a program in a new network namespace, it puts the body there, runs a client and prints what
both say as JSON: `sony_network.py BODY CLIENT ARGUMENT…`.

The texts are those of Sony's Camera Control PTP 3 Reference.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import subprocess
import sys
import threading

from ptpfast.sim import SimulatedCamera

HOST, GROUP, SSDP = "192.168.122.1", "239.255.255.250", 1900
SERVICE = "urn:schemas-sony-com:service:DigitalImaging:1"
UUID = "uuid:00000000-0005-0010-8000-001122334455"
COMMANDS = (
    "ip link set lo up",
    "ip link add v0 type veth peer name v1",
    f"ip addr add {HOST}/24 dev v0",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip route add 224.0.0.0/4 dev v0",
)


def description(model: str) -> bytes:
    return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor>
</specVersion><device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>
<friendlyName>{model}</friendlyName><manufacturer>Sony Corporation</manufacturer>
<modelName>{model}</modelName><UDN>{UUID}</UDN><serviceList><service>
<serviceType>{SERVICE}</serviceType><serviceId>urn:schemas-sony-com:serviceId:DigitalImaging
</serviceId><SCPDURL>/DigitalImagingDesc.xml</SCPDURL>
<controlURL>/upnp/control/DigitalImaging</controlURL></service></serviceList></device></root>
""".encode()


def serve_description(model: str) -> int:
    """Serve dd.xml; return the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = description(model)
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def answer_searches(location: str) -> None:
    """Answer M-SEARCH as a body does."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", SSDP))
    member = socket.inet_aton(GROUP) + socket.inet_aton(HOST)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)

    def answer() -> None:
        while True:
            _, sender = sock.recvfrom(4096)
            for target in ("upnp:rootdevice", "urn:schemas-upnp-org:device:Basic:1", SERVICE):
                lines = (
                    "HTTP/1.1 200 OK",
                    "CACHE-CONTROL: max-age=1800",
                    "EXT:",
                    f"LOCATION: {location}",
                    "SERVER: UPnP/1.0 SonyImagingDevice/1.0",
                    f"ST: {target}",
                    f"USN: {UUID}::{target}",
                )
                sock.sendto("\r\n".join((*lines, "", "")).encode(), sender)

    threading.Thread(target=answer, daemon=True).start()


def main(body: str, client: str, *arguments: str) -> None:
    for command in COMMANDS:
        subprocess.run(command.split(), check=True)
    with SimulatedCamera(body=body, objects=2, size=200_000, host=HOST, port=15740) as camera:
        taken = {}
        take = camera.body.capture

        def capture(*given: object, **named: object) -> list[int]:
            handles = take(*given, **named)  # type: ignore[arg-type]
            for handle in handles:
                digest = hashlib.sha256()
                for span in camera.store.expected(handle).spans(0, 200_000):
                    digest.update(span)
                stored = camera.store.get(handle)
                assert stored is not None
                taken[stored.name] = digest.hexdigest()
            return handles

        camera.body.capture = capture  # type: ignore[method-assign,assignment]
        model = camera.body.vendor.model.name
        answer_searches(f"http://{HOST}:{serve_description(model)}/dd.xml")
        done = subprocess.run(
            [sys.executable, client, *arguments], capture_output=True, text=True, timeout=60
        )
        sys.stderr.write(done.stderr)
        last = done.stdout.strip().splitlines()[-1:] or ["null"]
        came = json.loads(last[0]) if not done.returncode else done.stdout
        wrong = camera.protocol_errors + camera.defects + camera.unclean_ends
        sys.stdout.write(json.dumps({"taken": taken, "came": came, "wrong": wrong}))


if __name__ == "__main__":
    main(*sys.argv[1:])
