"""Two computers in network namespaces: ptpfast on one, programs of others on the other.

Run as a program in a new network and mount namespace, with the name of a scene; prints what was
seen as JSON. Two virtual cables lead to the other computer: `v0` with IPv4 and link-local IPv6,
`w0` with IPv4.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ptpfast.vendors.announcement import Identity, SsdpAnnouncement
from ptpfast.vendors.canon.announcement import announces
from ptpfast.vendors.canon.signs import EOS_UTILITY

# Interface → own address, address of the other computer.
CABLES = {"v": ("192.168.54.7", "192.168.54.8"), "w": ("10.20.0.7", "10.20.0.8")}
OWN6, OTHER6 = "fe80::7", "fe80::8"
PTPFAST = (sys.executable, "-W", "error", "-m", "ptpfast")
SEARCH_S = 100  # a search ends when it has found what it looks for
SERVICE, INSTANCE = "_ptp._tcp", "Z_8_5000001"
TXT = ("guid=04b0-1", "apps=$DSC")
BY_TYPE, ALL, REGISTER = 1, 3, 4  # requests to minissdpd
BUS = """<busconfig><type>system</type><listen>unix:path={bus}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow eavesdrop="true"/>
<allow send_destination="*" eavesdrop="true"/></policy>
</busconfig>"""
AVAHI = """[server]
host-name=studio
use-ipv4={ipv4}
use-ipv6={ipv6}
[publish]
publish-workstation=no
[wide-area]
enable-wide-area=no
"""

Line = str
Record = dict[str, Any]


class Program:
    """A running program, whose lines are read until one is what is waited for.

    It does not outlive this one, however that ends.
    """

    def __init__(self, words: Sequence[str], inside: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *inside, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[Line] = []

    def until(self, wanted: Callable[[Line], object]) -> Line:
        """Return the first line that is wanted."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if wanted(line):
                return line.rstrip("\n")
        raise AssertionError(f"{self.process.args!r} ended: {self.said}")

    def until_text(self, text: str) -> Line:
        """Return the first line with a text."""
        return self.until(lambda line: text in line)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, and read what it has still to say."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        rest, _ = self.process.communicate()
        self.said += rest.splitlines()


class Networks:
    """Both computers, and the programs that run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Program] = []
        _be_root_alone(folder)
        self._other: tuple[str, ...] = ()
        holder = self.start("unshare", "--net", "sh", "-c", "echo here; exec cat")
        holder.until_text("here")
        self._other = ("nsenter", f"--net=/proc/{holder.process.pid}/ns/net")
        self._run("ip link set lo up")
        self._run("ip link set lo up", other=True)
        for name, (own, other) in CABLES.items():
            self._run(f"ip link add {name}0 type veth peer name {name}1")
            self._run(f"ip link set {name}1 netns {holder.process.pid}")
            for which, address in ((0, own), (1, other)):
                end, there = f"{name}{which}", bool(which)
                # The kernel's own link-local address would come later than the search.
                self._run(f"ip link set {end} addrgenmode none", other=there)
                self._run(f"ip link set {end} up", other=there)
                self._run(f"ip addr add {address}/24 dev {end}", other=there)
        self._run(f"ip -6 addr add {OWN6}/64 dev v0 nodad")
        self._run(f"ip -6 addr add {OTHER6}/64 dev v1 nodad", other=True)

    def start(self, *words: str, other: bool = False) -> Program:
        """Start a program on this computer, or on the other one."""
        program = Program(words, self._other if other else ())
        self.running.append(program)
        return program

    def _run(self, command: str, *, other: bool = False) -> None:
        inside = self._other if other else ()
        subprocess.run([*inside, *command.split()], check=True, stdout=subprocess.DEVNULL)

    def bus(self) -> None:
        """Start the bus over which the programs of avahi talk."""
        at = self.folder / "bus"
        (self.folder / "bus.conf").write_text(BUS.format(bus=at))
        words = (f"--config-file={self.folder}/bus.conf", "--nofork", "--print-address=1")
        self.start("dbus-daemon", *words).until_text("unix:path")
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={at}"

    def avahi(self, *, ipv4: bool = True, ipv6: bool = False) -> None:
        """Start avahi on the other computer."""
        self.bus()
        said = {True: "yes", False: "no"}
        settings = self.folder / "avahi.conf"
        settings.write_text(AVAHI.format(ipv4=said[ipv4], ipv6=said[ipv6]))
        words = ("--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title")
        daemon = self.start("avahi-daemon", f"--file={settings}", *words, other=True)
        daemon.until_text("Server startup complete")

    def publish(self, port: int) -> None:
        """Let avahi announce a camera."""
        words = ("avahi-publish", "-s", INSTANCE, SERVICE, str(port), *TXT)
        self.start(*words).until_text("Established")

    def camera(self, body: str, host: str, *options: str, other: bool = False) -> Program:
        """Start a simulated camera; on this computer if not told."""
        words = ("--body", body, "--host", host, "--port", "0", "--objects", "2", "--size", "1M")
        return self.start(*PTPFAST, "simulate", *words, *options, other=other)

    def minissdpd(self) -> tuple[str, Program]:
        """Start minissdpd on the other computer; its socket and it."""
        at = str(self.folder / "minissdpd")
        words = ("-d", "-i", "v1", "-s", at, "-p", f"{at}.pid")
        daemon = self.start("minissdpd", *words, other=True)
        wait_for_socket(at, daemon)
        return at, daemon

    def found(self, wanted: Callable[[Record], object], *options: str) -> Record:
        """Run `ptpfast discover` until it has found what is wanted."""
        words = ("discover", "--json", "--seconds", str(SEARCH_S), "--no-try", *options)
        search = self.start(*PTPFAST, *words)

        def is_wanted(line: Line) -> object:
            record = json.loads(line) if line.startswith("{") else {}
            return record.get("type") == "camera" and wanted(record)

        record: Record = json.loads(search.until(is_wanted))
        search.end(signal.SIGINT)
        return record

    def model_at(self, address: str) -> str:
        """Return the model that `ptpfast info` reads from the camera at an address."""
        done = subprocess.run(
            [*PTPFAST, "info", address, "--json"], check=True, stdout=subprocess.PIPE, text=True
        )
        records = map(json.loads, done.stdout.splitlines())
        return str(next(each["model"] for each in records if "model" in each))

    def close(self) -> None:
        """End all programs, the last one first."""
        for program in reversed(self.running):
            program.end()


def _be_root_alone(folder: Path) -> None:
    """Have an own /run, no services of this machine, and avahi's user be the one that there is."""
    for place in ("/run", "/etc/avahi/services"):
        subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)
    for name, row in (("passwd", "avahi:x:0:0::/:/bin/false"), ("group", "avahi:x:0:")):
        lines = Path("/etc", name).read_text().splitlines()
        lines = [line for line in lines if not line.startswith("avahi:")]
        (folder / name).write_text("\n".join([*lines, row, ""]))
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)


def port_of(camera: Program) -> int:
    """Return the port at which a simulated camera listens, once it does."""
    return int(camera.until_text("listening on").rsplit(":", 1)[1])


def avahi_announces(all_: Networks) -> Record:
    """Avahi announces a camera on both cables: it is found on each, and answers there."""
    camera = all_.camera("nikon-z8", "0.0.0.0", other=True)
    port = port_of(camera)
    all_.avahi()
    all_.publish(port)
    seen: Record = {"port": port, "any": all_.found(lambda each: each["port"] == port)}
    for name, (own, _) in CABLES.items():
        seen[name] = all_.found(lambda each: each["port"] == port, "--interface", own)
    seen["model"] = all_.model_at(seen["w"]["address"])
    return seen


def avahi_announces_ipv6(all_: Networks) -> Record:
    """Avahi announces over IPv6 alone; something listens at the link-local address."""
    server = all_.start(sys.executable, __file__, "serve", f"{OTHER6}%v1", other=True)
    port = int(server.until_text("port ").split()[1])
    all_.avahi(ipv4=False, ipv6=True)
    all_.publish(port)
    found = all_.found(lambda each: each["port"] == port)
    socket.create_connection((found["host"], port)).close()
    return {"port": port, "found": found}


def avahi_browses(all_: Networks) -> Record:
    """Avahi finds two simulated cameras, each on its cable only, and hears when one goes."""
    all_.avahi()
    cameras = [all_.camera("nikon-z8", own, "--announce") for own, _ in CABLES.values()]
    ports = [port_of(camera) for camera in cameras]
    words = ("--parsable", "--resolve", "--no-db-lookup", SERVICE)
    browser = all_.start("avahi-browse", *words, other=True)
    resolved: dict[str, Record] = {}
    while len(resolved) < len(cameras):
        line = browser.until(lambda line: line.startswith("="))
        _, interface, _, name, _, _, _, host, port, txt = line.split(";", 9)
        resolved[interface] = {"name": name, "host": host, "port": int(port), "txt": txt}
    cameras[0].end(signal.SIGINT)
    gone = browser.until(lambda line: line.startswith("-")).split(";")
    return {"ports": ports, "resolved": resolved, "gone": gone[1:4:2]}


def gssdp_discovers(all_: Networks) -> Record:
    """gssdp finds a simulated camera by its search, and hears when it goes."""
    own = CABLES["v"][0]
    seen: Record = {}
    for body in ("canon-r6m2", "sony-a7m4"):
        words = ("--body", body, "--host", own, "--objects", "0", "--announce")
        camera = all_.start(*PTPFAST, "simulate", *words)
        said = camera.until_text("announced by SSDP")
        target, location = said.split("SSDP: ")[1].split(", described at ")
        search = ("--interface=v1", f"--target={target}", "--message-type=all")
        listener = all_.start("gssdp-discover", *search, other=True)
        place = listener.until_text("Location:").split()[-1]
        camera.end(signal.SIGINT)
        listener.until_text("unavailable")
        gone = listener.until_text("USN:").split()[-1]
        seen[body] = {"target": target, "location": location, "found": place, "gone": gone}
        listener.end()
    return seen


def minissdpd_answers(all_: Networks) -> Record:
    """minissdpd answers for a Canon body, whose description another server has."""
    host = CABLES["v"][1]
    server = all_.start(sys.executable, __file__, "serve", host, other=True)
    port = server.until_text("port ").split()[1]
    at, _ = all_.minissdpd()
    device = canon()
    location = f"http://{host}:{port}{device.path}"
    ask(at, REGISTER, EOS_UTILITY, f"{device.udn}::{EOS_UTILITY}", device.server, location)
    return {"udn": device.udn, "found": all_.found(lambda each: each["found_by"] == ["ssdp"])}


def minissdpd_hears(all_: Networks) -> Record:
    """minissdpd keeps what a simulated camera announces until that says goodbye."""
    at, daemon = all_.minissdpd()
    words = ("--body", "canon-r6m2", "--host", CABLES["v"][0], "--objects", "0", "--announce")
    camera = all_.start(*PTPFAST, "simulate", *words)
    location = camera.until_text("announced by SSDP").rsplit(" ", 1)[1]
    daemon.until(lambda line: "new device discovered" in line and EOS_UTILITY in line)
    listed = ask(at, BY_TYPE, EOS_UTILITY)
    camera.end(signal.SIGINT)
    daemon.until(lambda line: "remove device" in line and EOS_UTILITY in line)
    return {"location": location, "listed": listed, "later": ask(at, BY_TYPE, EOS_UTILITY)}


def nothing_there(all_: Networks) -> Record:
    """Avahi announces a printer, and no camera is there."""
    all_.avahi()
    words = ("avahi-publish", "-s", "printer", "_ipp._tcp", "631")
    all_.start(*words).until_text("Established")
    done = subprocess.run(
        [*PTPFAST, "discover", "--seconds", "2"], capture_output=True, text=True, check=False
    )
    return {"status": done.returncode, "out": done.stdout, "said": done.stderr}


def canon() -> SsdpAnnouncement:
    """What a Canon body announces."""
    identity = Identity("Canon EOS 90D", "61024", bytes(9) + b"\x01" + bytes(range(6)), "studio")
    (device,) = announces(identity)
    assert isinstance(device, SsdpAnnouncement)
    return device


def serve(host: str) -> None:
    """Serve the documents of a Canon body until the end of the input."""
    documents = canon().documents
    family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = documents[self.path].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    class Server(ThreadingHTTPServer):
        address_family = family

    with Server(address, Handler) as server:  # type: ignore[arg-type] # it has a scope
        sys.stdout.write(f"port {server.server_address[1]}\n")
        sys.stdout.flush()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        server.shutdown()


def wait_for_socket(path: str, daemon: Program) -> None:
    """Wait until a daemon listens, or has ended."""
    ended = threading.Event()
    while daemon.process.poll() is None:
        try:
            ask(path, ALL, "ssdp:all")
        except OSError:
            ended.wait(0.02)
        else:
            return
    raise AssertionError(f"the daemon ended: {daemon.said}")


def ask(path: str, kind: int, *texts: str) -> str:
    """Ask minissdpd something; return the answer as text, with the lengths in it."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(bytes([kind]) + b"".join(bytes([len(t)]) + t.encode() for t in texts))
        return "" if kind == REGISTER else sock.recv(1 << 16).decode("latin-1")


SCENES = (
    avahi_announces,
    avahi_announces_ipv6,
    avahi_browses,
    gssdp_discovers,
    minissdpd_answers,
    minissdpd_hears,
    nothing_there,
)


def main(name: str) -> None:
    os.environ["PATH"] += ":/usr/sbin"  # where daemons are
    scene = next(each for each in SCENES if each.__name__ == name)
    # The names of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="peers-", dir="/tmp") as folder:
        all_ = Networks(Path(folder))
        try:
            sys.stdout.write(json.dumps(scene(all_)))
        finally:
            all_.close()


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else main(sys.argv[1])
