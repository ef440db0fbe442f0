"""The benchmark of a burst, with few shots."""

from __future__ import annotations

import pytest
from bench.burst.run import THERE, Burst, run

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("body", ["nikon-z8", "fuji-xt4"])
def test_burst_with_a_lost_connection_comes_whole_and_is_timed(body: str) -> None:
    came = run(body, Burst(shots=6, rate=50, drops=1, size=20_000))
    assert came.ok, came
    assert came.files > THERE
    assert len(came.seconds) + len(came.lost) == came.files - THERE
    assert came.lost
    assert min(came.seconds + came.lost) > 0
