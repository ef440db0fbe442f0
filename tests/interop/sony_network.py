"""A Sony body in a network of its own, which announces itself there.

Run as a program in a new network namespace, it puts the body there, runs a client and prints what
both say as JSON: `sony_network.py BODY CLIENT ARGUMENT…`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

from ptpfast.sim import SimulatedCamera

HOST = "192.168.122.1"
COMMANDS = (
    "ip link set lo up",
    "ip link add v0 type veth peer name v1",
    f"ip addr add {HOST}/24 dev v0",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip route add 224.0.0.0/4 dev v0",
)


def main(body: str, client: str, *arguments: str) -> None:
    for command in COMMANDS:
        subprocess.run(command.split(), check=True)
    with SimulatedCamera(
        body=body, objects=2, size=200_000, host=HOST, port=15740, announce=True
    ) as camera:
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
        done = subprocess.run(
            [sys.executable, client, *arguments], capture_output=True, text=True, timeout=60
        )
        sys.stderr.write(done.stderr)
        balance = camera.body.properties[0x5005].current
        last = done.stdout.strip().splitlines()[-1:] or ["null"]
        came = json.loads(last[0]) if not done.returncode else done.stdout
        wrong = camera.protocol_errors + camera.defects + camera.unclean_ends
        sys.stdout.write(
            json.dumps({"taken": taken, "came": came, "wrong": wrong, "balance": balance})
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
