"""The pieces of work, timed by pytest-benchmark: `python -m bench micro` runs this and reads it.

python -m pytest bench/micro --benchmark-only
"""

from __future__ import annotations

from typing import Any

import pytest

from .work import check, works

WAYS = ("ours", "plain")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", works())
def test_work(benchmark: Any, name: str, way: str) -> None:
    work = works()[name]
    check(work)
    benchmark.group = name
    benchmark.extra_info.update(way=way, units=work.units, per=work.per)
    benchmark(getattr(work, way))
