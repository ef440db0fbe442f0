"""The benchmark of what stands between the engine and a program."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import bench_pipelines, peers

from ptpfast.sim import SimulatedCamera

pytestmark = pytest.mark.tools
needs_compiler = pytest.mark.skipif(peers.compiler() is None, reason="no C compiler")


@needs_compiler
def test_every_way_takes_its_turn_and_leaves_nothing(tmp_path: Path) -> None:
    with peers.Responder(objects=3, size=300_000, packet=65536) as responder:
        files, memory = bench_pipelines.compare("a test", responder.port, tmp_path, 2)
    ways = [claim.what for claim in files.claims if claim.must is not None]
    assert ways == [f"rate of {way}, of pull" for way in bench_pipelines.CARDS]
    ways = [claim.what for claim in memory.claims if claim.must is not None]
    assert ways == [f"rate of {way}, of {plain}" for way, plain in bench_pipelines.READS.items()]
    assert list(tmp_path.iterdir()) == []


@needs_compiler
def test_wrong_bytes_end_the_comparison_of_pipelines(tmp_path: Path) -> None:
    with (
        SimulatedCamera(objects=1, size=1000) as camera,  # its bytes are others
        pytest.raises(RuntimeError, match="WrongContent"),
    ):
        bench_pipelines.compare("a test", camera.port, tmp_path, 1)
