"""Two computers in network namespaces of their own, and the doctor between them; prints its causes.

Run as a program in a new network namespace, which is the user's computer. It starts itself a second
time as the camera, in another namespace at the other end of a virtual cable.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from ptpfast.doctor import Diagnosis, checks, computer, examination, examine, segments
from ptpfast.sim import SimulatedCamera
from ptpfast.transport.timeouts import Timeouts

CAMERA, COMPUTER, NOBODY = "192.168.54.1", "192.168.54.7", "192.168.54.99"
ELSEWHERE, BEHIND_VPN = "10.9.9.9", "10.8.0.5"
# No answer comes, however long it is waited for.
VAIN = Timeouts(connect=2, operation=2, idle=2, close=1, held=0, approval=0)
PATIENT = Timeouts(connect=30, operation=30, idle=30, close=5, held=0, approval=0)
SILENT = Timeouts(connect=30, operation=2, idle=2, close=1, held=0, approval=0)


def run(command: str) -> bool:
    """Run a command, and return whether it has worked."""
    if shutil.which(command.split()[0]) is None:
        return False
    return subprocess.run(command.split(), capture_output=True, check=False).returncode == 0


def must(command: str) -> None:
    subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)


class Other:
    """The camera's side, which runs commands there."""

    def __init__(self) -> None:
        program = ["unshare", "--net", sys.executable, "-W", "error", __file__, "camera"]
        self.process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._answer() == "here"

    def tell(self, command: str) -> bool:
        """Have a command run there; return whether it has worked."""
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self._answer() == "done"

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate()


def camera() -> None:
    """The other side: runs the commands that it reads, and is a camera once it is told to."""
    sys.stdout.write("here\n")
    sys.stdout.flush()
    running: list[SimulatedCamera] = []
    for line in sys.stdin:
        if line.strip() == "camera":
            sim = SimulatedCamera(host=CAMERA, port=15740, objects=4, size=3_000_000)
            running.append(sim.__enter__())
            done = True
        else:
            done = run(line)
        sys.stdout.write("done\n" if done else "failed\n")
        sys.stdout.flush()
    for sim in running:
        sim.close()


@contextmanager
def changed(do: Callable[[str], Any], command: str, back: str) -> Any:
    """A change of the network, taken back at the end; whether it has worked."""
    worked = do(command)
    yield worked
    if worked:
        do(back)


def code(found: Diagnosis) -> str:
    return found.first.code if found.first else "well"


def said(host: str, timeouts: Timeouts, port: int = 15740) -> str:
    return code(examine(host, port=port, timeouts=timeouts))


def causes(other: Other) -> dict[str, str]:
    """The first cause of each trouble; `-` for one that cannot be staged here."""
    found = {"nothing": said(CAMERA, PATIENT)}
    found["refused"] = said(CAMERA, PATIENT, port=9)
    found["nobody there"] = said(NOBODY, PATIENT)  # the kernel gives up after 3 s
    found["no route"] = said(ELSEWHERE, VAIN)
    with changed(run, f"ip route add default via {CAMERA}", "ip route del default"):
        found["wrong network"] = said(ELSEWHERE, VAIN)
    drop = f"blackhole {COMPUTER}/32"
    with changed(other.tell, f"ip route add {drop}", f"ip route del {drop}"):
        found["firewall"] = said(CAMERA, VAIN)
    with changed(run, "ip route add 10.8.0.0/24 dev wg0", "ip route del 10.8.0.0/24"):
        found["vpn"] = said(BEHIND_VPN, PATIENT)
    same = "192.168.54.200/24 dev e0"
    with changed(run, f"ip addr add {same}", f"ip addr del {same}"):
        # The kernel uses the older one: it is to be the wrong one here.
        must("ip route replace 192.168.54.0/24 dev v0 metric 200")
        must("ip route del 192.168.54.0/24 dev v0 metric 0")
        found["two networks"] = said(CAMERA, PATIENT)
        must(f"ip route replace 192.168.54.0/24 dev v0 src {COMPUTER}")
        must("ip route del 192.168.54.0/24 dev v0 metric 200")
    found |= with_a_bad_line(other)
    return found


def with_a_bad_line(other: Other) -> dict[str, str]:
    """The causes of a line that delays, loses, or swallows large packets."""
    found = {}
    # A short queue before a slow line loses packets, as that of an access point does.
    lossy = "tbf rate 40mbit burst 3000 limit 9000"
    for name, fault in (("delay", "netem delay 200ms"), ("loss", lossy)):
        fresh = f"tc qdisc add dev v1 root {fault}"
        checks.SLOW_MS = 100 if name == "delay" else 30_000
        with changed(other.tell, fresh, "tc qdisc del dev v1 root") as worked:
            found[name] = said(CAMERA, PATIENT) if worked else "-"
    # The computer announces what its line does not take, as behind a tunnel that it does not know.
    other.tell("ip link set v1 gso_max_segs 1")
    must(f"ip route replace 192.168.54.0/24 dev v0 src {COMPUTER} advmss 1460")
    with changed(run, "ip link set v0 mtu 576", "ip link set v0 mtu 1500"):
        must(f"ip route replace 192.168.54.0/24 dev v0 src {COMPUTER} advmss 1460")
        found["black hole"] = said(CAMERA, SILENT)
    return found


def main() -> None:
    examination.vendor_of = lambda _: None  # nothing is searched for
    computer.LEAST_FREE = 0
    segments.TRIAL_S = 60  # however loaded this computer is
    checks.SLOW_MS = 30_000
    other = Other()
    try:
        for pair in ("v0 type veth peer name v1", "wg0 type veth peer name wg1"):
            must(f"ip link add {pair}")
        must("ip link add e0 type veth peer name e1")
        must(f"ip link set v1 netns {other.process.pid}")
        for name in ("lo", "v0", "wg0", "wg1", "e0", "e1"):
            must(f"ip link set {name} up")
        must(f"ip addr add {COMPUTER}/24 dev v0")
        for rest in ("link set lo up", "link set v1 up", f"addr add {CAMERA}/24 dev v1"):
            assert other.tell(f"ip {rest}"), rest
        assert other.tell("camera")
        sys.stdout.write(json.dumps(causes(other)))
    finally:
        other.end()


if __name__ == "__main__":
    camera() if sys.argv[1:] == ["camera"] else main()
