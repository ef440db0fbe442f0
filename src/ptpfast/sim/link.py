"""Links between camera and computer, as the simulated camera imitates them: a rate and a delay.

The rate is what one TCP stream gets for payload, the delay what one operation costs beyond it
(round trip and the camera's own time). This only paces the sender. It loses no packets; `bench/`
shapes a real link for that.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """`bytes_per_s` None is as fast as the machine; delays are for each operation."""

    help: str
    bytes_per_s: float | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0  # up to so much more delay, evenly distributed


LINKS: dict[str, Link] = {
    "loopback": Link("no limit"),
    "wired": Link("a camera with Gigabit Ethernet", 110e6, 0.001),
    "wifi-ac": Link("5 GHz Wi-Fi of recent bodies", 35e6, 0.005, 0.003),
    "wifi-n": Link("2.4 GHz Wi-Fi of older bodies", 4e6, 0.013, 0.010),
    "wifi-far": Link("2.4 GHz Wi-Fi through two walls", 0.8e6, 0.040, 0.060),
}
