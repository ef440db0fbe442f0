"""The radio, as the program `iw` reports it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptpfast.network import radio
from ptpfast.network.radio import Radio, parse_link, radio_of

LINK = """Connected to 00:11:22:33:44:55 (on wlan0)
\tSSID: studio
\tfreq: 5180.0
\tRX: 123 bytes (4 packets)
\tsignal: -61 dBm
\trx bitrate: 433.3 MBit/s VHT-MCS 9
\ttx bitrate: 390.0 MBit/s VHT-MCS 8
"""


def test_a_connection_is_read_with_its_slower_rate() -> None:
    found = parse_link(LINK)
    assert found == Radio(-61.0, 390.0, 5180)
    assert (found.band_ghz, found.channel) == (5, 36)


@pytest.mark.parametrize(
    ("mhz", "band", "channel"),
    [
        (2412, 2.4, 1),
        (2484, 2.4, 14),
        (5825, 5, 165),
        (5955, 6, 1),
        (7115, 6, 233),
        (4000, None, None),
        (99999, None, None),
    ],
)
def test_channels_are_numbered_as_the_standard_does(
    mhz: int, band: float | None, channel: int | None
) -> None:
    found = Radio(mhz=mhz)
    assert (found.band_ghz, found.channel) == (band, channel)


def test_nothing_is_known_of_a_connection_that_is_none() -> None:
    for text in ("Not connected.\n", "", "signal: loud\nfreq: high\n"):
        assert parse_link(text) == Radio()


def test_the_program_is_asked_about_the_interface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "iw"
    program.write_text('#!/bin/sh\n[ "$*" = "dev wlan0 link" ] && echo "\tsignal: -50 dBm"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(radio, "LONGEST_S", 60)
    assert radio_of("wlan0") == Radio(-50.0)
    assert radio_of("eth0") == Radio()


def test_a_computer_without_the_program_knows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert radio_of("wlan0") == Radio()
