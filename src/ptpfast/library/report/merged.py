"""One report of a run with several cameras, from the report of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from .report import CameraReport, Report

T = TypeVar("T")


def merged(into: Report, cameras: Sequence[CameraReport]) -> Report:
    """Return `into` with the results of all cameras.

    Sizes and counts are sums. The cameras work at the same time, so times are those of the slowest.
    """
    reports = [each.report for each in cameras]
    into.cameras = list(cameras)
    into.files = [result for report in reports for result in report.files]
    into.leftovers = list({left.path: left for each in reports for left in each.leftovers}.values())
    into.notes = _each_once(note for report in reports for note in report.notes)
    into.presumed_over = any(report.presumed_over for report in reports)
    into.manifest = next((each.manifest for each in reports if each.manifest), None)
    card, traffic, clearing = into.card, into.traffic, into.clearing
    card.listed = all(report.listed for report in reports)
    traffic.elapsed = max((report.elapsed for report in reports), default=0.0)
    traffic.seconds = max((report.seconds for report in reports), default=0.0)
    traffic.waited_s = max((report.waited_s for report in reports), default=0.0)
    traffic.round_trips_s = max((report.round_trips_s for report in reports), default=0.0)
    for each in cameras:
        report = each.report
        card.found += report.found
        card.selected += report.selected
        card.undated += report.undated
        card.unsized += report.unsized
        card.unrated += report.unrated
        card.unpreferred += report.unpreferred
        card.storages += [replace(failure, camera=each.name) for failure in report.storages]
        card.doubts += [f"{each.name}: {doubt}" for doubt in report.doubts]
        traffic.bytes += report.bytes
        traffic.retries += report.retries
        clearing.found_gone += report.found_gone
        clearing.vanished += report.vanished
        clearing.same_disk = _each_once([*clearing.same_disk, *report.same_disk])
        for result in report.files:
            result.camera = each.name
    return into


def _each_once(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))
