"""The metrics. docs/observability.md has this table; a test compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CAMERA = ("camera",)
# Seconds of a file: thumbnails in a hundredth, movies in half an hour.
BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes:
        name: Its name, as Prometheus shows it.
        kind: Its type.
        labels: Its labels.
        meaning: What it counts.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


METRICS = (
    Metric("ptpfast_received_bytes_total", "counter", CAMERA, "bytes received from the camera"),
    Metric(
        "ptpfast_files_total",
        "counter",
        ("camera", "outcome"),
        "files by outcome: downloaded, skipped, failed, unfinished",
    ),
    Metric(
        "ptpfast_retries_total",
        "counter",
        CAMERA,
        "tries to make a lost connection again",
    ),
    Metric("ptpfast_reconnects_total", "counter", CAMERA, "lost connections that were made again"),
    Metric(
        "ptpfast_camera_wait_seconds_total",
        "counter",
        CAMERA,
        "seconds waited for a camera that was busy, lost, or asked its owner",
    ),
    Metric(
        "ptpfast_disk_wait_seconds_total",
        "counter",
        CAMERA,
        "seconds in which the camera waited for the disk",
    ),
    Metric(
        "ptpfast_files_left",
        "gauge",
        CAMERA,
        "planned files that are not stored yet; grows while the card is listed",
    ),
    Metric(
        "ptpfast_files_in_progress",
        "gauge",
        CAMERA,
        "files that are being received, or are received and wait for the disk",
    ),
    Metric(
        "ptpfast_rate_bytes_per_second",
        "gauge",
        CAMERA,
        "rate of the last two seconds",
    ),
    Metric(
        "ptpfast_file_seconds",
        "histogram",
        CAMERA,
        "seconds from the beginning of a download to its final name",
    ),
)
