"""Does memory stay flat, whatever the object's size?

A fresh process downloads one object of 6 GiB (whole: its offsets do not fit a standard partial
read). What is resident after the listing is compared with the most that was resident afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import peers
from .bench_download import check_and_remove
from .contenders import PTPFAST, command
from .harness import Case, Range, Sample, scratch

GIB = 1 << 30
MOST_MIB = 16


def run(quick: bool) -> Iterator[Case]:
    """The one case of this benchmark; `quick` takes 256 MiB."""
    size = GIB // 4 if quick else 6 * GIB
    with (
        scratch(size) as (directory, kind),
        peers.Responder(objects=1, size=size, packet=65536) as responder,
    ):
        words = command(PTPFAST, responder.port, into="file", dir=directory, warm=0)
        report = peers.run(words)
        check_and_remove(directory, 1, size)
    case = Case(f"resident memory, one object of {size / GIB:g} GiB to {kind}")
    case.samples["ptpfast"] = [Sample.of(report)]
    grown = (report["peak_kib"] - report["resident_kib"]) / 1024
    value = Range(grown, grown, grown)
    case.claim("growth", value, MOST_MIB, at_least=False, unit="MiB")
    case.notes.append(f"resident before: {report['resident_kib'] / 1024:.0f} MiB; bytes compared")
    yield case
