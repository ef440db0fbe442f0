"""The doctor's causes in real networks, in namespaces that no packet leaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Trouble → the cause that has to come first.
FIRST = {
    "nothing": "well",
    "refused": "nothing-listens",
    "nobody there": "no-device",
    "no route": "no-route",
    "wrong network": "wrong-network",
    "firewall": "filtered",
    "vpn": "vpn",
    "two networks": "two-networks",
    "delay": "slow-round-trips",
    "loss": "loss",
    "black hole": "large-packets-lost",
}
NEEDS_MODULES = {"delay", "loss"}  # of the kernel: netem, tbf


@pytest.mark.tools  # half a minute in networks of its own
@pytest.mark.timeout(300)
def test_each_trouble_of_a_network_has_its_cause_first() -> None:
    network = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*network, "true"]).returncode:
        pytest.skip("this user may not make a network namespace")
    program = Path(__file__).parent / "network_of_troubles.py"
    done = subprocess.run(
        [*network, sys.executable, "-W", "error", program],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    staged = {name: code for name, code in found.items() if code != "-"}
    assert staged == {name: code for name, code in FIRST.items() if name in staged}
    assert FIRST.keys() - staged.keys() <= NEEDS_MODULES
