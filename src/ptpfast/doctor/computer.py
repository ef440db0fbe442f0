"""What this computer adds: the radio of its interface, and the disk of a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..network.interface import Interface
from ..network.radio import radio_of
from ..ownership import files
from . import causes
from .diagnosis import Cause, Step

WEAK_DBM = -75.0  # below, rates fall and packets are lost
LEAST_FREE = 1_000_000_000  # bytes: some dozen RAW files

Found = tuple[list[Step], list[Cause]]


def look_at_radio(interface: Interface) -> Found:
    """Return the state of a wireless interface; nothing of any other."""
    if interface.kind != "wireless":
        return [], []
    radio = radio_of(interface.name)
    signal = radio.signal_dbm if radio.signal_dbm is not None else interface.signal_dbm
    facts = {
        "signal_dbm": signal,
        "mbit_per_s": radio.mbit_per_s,
        "band_ghz": radio.band_ghz,
        "channel": radio.channel,
    }
    words = [f"{signal:.0f} dBm"] if signal is not None else []
    words += [f"{radio.mbit_per_s:g} Mbit/s"] if radio.mbit_per_s else []
    words += [f"{radio.band_ghz:g} GHz"] if radio.band_ghz else []
    words += [f"channel {radio.channel}"] if radio.channel else []
    if not words:
        return [Step("radio", "unknown", "this system does not tell (install iw)", facts)], []
    if signal is not None and signal < WEAK_DBM:
        return [Step("radio", "slow", ", ".join(words), facts)], [causes.weak_signal(signal)]
    return [Step("radio", "ok", ", ".join(words), facts)], []


def look_at_disk(folder: Path) -> Found:
    """Return the state of the disk of a folder."""
    shown = str(folder.absolute())
    try:
        free = shutil.disk_usage(folder).free
        files.try_to_write(folder)
    except OSError as error:
        cause = causes.disk_not_writable(shown, error.strerror or str(error))
        return [Step("disk", "slow", cause.text, {"folder": shown, "free": None})], [cause]
    gigabytes = f"{free / 1e9:.1f} GB"
    step = Step("disk", "ok", f"{gigabytes} free in {shown}", {"folder": shown, "free": free})
    if free >= LEAST_FREE:
        return [step], []
    cause = causes.disk_full(shown, gigabytes)
    return [Step("disk", "slow", cause.text, step.facts)], [cause]
