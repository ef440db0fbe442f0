"""Metrics of `pull` for Prometheus, and spans for OpenTelemetry: `pip install 'ptpfast[metrics]'`.

Both are observers. So the code that moves the bytes knows nothing of them.

table       the metrics
prometheus  the observer that counts, and the server
waits       seconds of waiting, from the calls of a run
spans       the observer that traces
"""

from __future__ import annotations

try:
    import opentelemetry.trace as _trace  # noqa: F401
    import prometheus_client as _client  # noqa: F401
except ModuleNotFoundError as _error:
    raise ImportError(
        f"ptpfast.metrics needs {_error.name}: run `pip install 'ptpfast[metrics]'`"
    ) from _error
from .prometheus import Metrics
from .spans import tracing
from .table import METRICS, Metric

__all__ = ["METRICS", "Metric", "Metrics", "tracing"]
