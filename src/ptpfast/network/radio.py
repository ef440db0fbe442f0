"""The radio of a wireless interface, as the program `iw` reports it (Linux)."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

LONGEST_S = 2.0  # for the program
_SIGNAL = re.compile(r"^\s*signal: (-[0-9]{1,3}) dBm", re.MULTILINE)
_RATE = re.compile(r"^\s*(?:rx|tx) bitrate: ([0-9]{1,5}(?:\.[0-9]+)?) MBit/s", re.MULTILINE)
_FREQUENCY = re.compile(r"^\s*freq: ([0-9]{4,5})(?:\.[0-9]+)?$", re.MULTILINE)
_FIRST_5, _FIRST_6, _END_6 = 4900, 5925, 7130  # MHz


@dataclass(frozen=True, slots=True)
class Radio:
    """A connection by radio; None where it is not told.

    Attributes:
        signal_dbm: The strength of the signal. -50 is near, -80 hardly works.
        mbit_per_s: The slower of the rates in both directions.
        mhz: The frequency of the channel.
    """

    signal_dbm: float | None = None
    mbit_per_s: float | None = None
    mhz: int | None = None

    @property
    def band_ghz(self) -> float | None:
        """The band: 2.4, 5 or 6."""
        ends = {2500: 2.4, _FIRST_5: None, _FIRST_6: 5, _END_6: 6}
        mhz = self.mhz or 0
        return next((band for end, band in ends.items() if 2400 <= mhz < end), None)

    @property
    def channel(self) -> int | None:
        """The number of the channel (IEEE 802.11)."""
        if self.mhz is None or self.band_ghz is None:
            return None
        if self.mhz == 2484:
            return 14
        first = {2.4: 2407, 5: 5000, 6: 5950}[self.band_ghz]
        return (self.mhz - first) // 5


def radio_of(name: str) -> Radio:
    """Return the state of a wireless interface; nothing is known without the program."""
    try:
        done = subprocess.run(
            ["iw", "dev", name, "link"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return Radio()
    return parse_link(done.stdout[:65536].decode(errors="replace"))


def parse_link(text: str) -> Radio:
    """Return what the output of `iw dev NAME link` tells."""
    signal, frequency = _SIGNAL.search(text), _FREQUENCY.search(text)
    rates = [float(rate) for rate in _RATE.findall(text)]
    return Radio(
        float(signal[1]) if signal else None,
        min(rates, default=None),
        int(frequency[1]) if frequency else None,
    )
