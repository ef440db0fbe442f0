"""Where camera and computer wait for each other's TCP, `bench` names these 40 ms for it."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import PATIENT, Cameras
from ptpfast.measure.acks import ack_wait, held
from ptpfast.measure.figures import figures
from ptpfast.measure.page import page
from ptpfast.measure.plan import Plan
from ptpfast.measure.result import Latency, Reading, Result, Timing
from ptpfast.measure.run import Bench
from ptpfast.measure.samples import Arrival, Spread
from ptpfast.measure.summary import Figures
from ptpfast.measure.text import lines
from ptpfast.measure.verdict import Verdict, judge
from ptpfast.sim import Link
from ptpfast.transport import handshake

MiB = 1 << 20
# As `ptpfast bench` measured them at a simulated camera, with delayed acknowledgements.
RECORDED = {
    "GetStorageIDs": [43.8, 44.0, 44.0, 44.1, 44.0, 43.9, 44.1, 44.0, 44.2, 44.0, 45.1],
    "GetObjectInfo": [43.9, 44.0, 44.1, 44.0, 44.0, 44.2, 44.0, 44.0, 44.1, 44.0, 46.0],
    "reading 1 kB": [44.0, 43.8, 44.1, 44.0, 44.0, 44.0, 44.2, 44.0, 44.1, 44.0, 44.0],
    "GetNumObjects": [0.2, 0.2, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.4],
}


def latencies(**changed: list[float] | None) -> list[Latency]:
    rows = RECORDED | {name.replace("_", " "): ms for name, ms in changed.items()}
    return [Latency(what, Spread.of(ms)) for what, ms in rows.items() if ms is not None]


def shifted(by: float) -> list[Latency]:
    """All answers that have data come so much later."""
    return latencies(
        **{what: [ms + by for ms in each] for what, each in RECORDED.items() if each[0] > 1}
    )


def test_answers_that_all_take_as_long_as_a_delayed_acknowledgement_are_seen() -> None:
    assert ack_wait(latencies(), 0.2) == pytest.approx(43.8)
    assert ack_wait(latencies(GetNumObjects=None), 0.2) == pytest.approx(43.8)
    assert ack_wait(shifted(5.0), 5.0) == pytest.approx(44.0)
    assert ack_wait(shifted(157.0), 1.0) == pytest.approx(200.0)
    # One answer that the camera has to think about, too.
    assert ack_wait(latencies(GetThumb=[130.0] * 11), 0.2) == pytest.approx(43.8)


@pytest.mark.parametrize(
    ("rows", "rtt_ms"),
    [
        pytest.param(latencies(), None, id="no ping"),
        pytest.param(latencies(), 40.0, id="a slow link"),
        pytest.param(shifted(30.0), 0.2, id="another delay"),
        pytest.param(shifted(-30.0), 0.2, id="quick"),
        pytest.param(latencies(GetNumObjects=[43.0] * 11), 0.2, id="slow in everything"),
        pytest.param(
            latencies(GetStorageIDs=[3.0] * 11, reading_1_kB=[5.0] * 11), 0.2, id="one operation"
        ),
        pytest.param(
            latencies(
                GetStorageIDs=[float(ms) for ms in range(30, 62, 3)],
                GetObjectInfo=[float(ms) for ms in range(30, 62, 3)],
            ),
            0.2,
            id="no cluster",
        ),
        pytest.param([], 0.2, id="nothing measured"),
    ],
)
def test_what_only_looks_like_it_is_not_called_so(
    rows: list[Latency], rtt_ms: float | None
) -> None:
    assert ack_wait(rows, rtt_ms) is None


def test_pauses_of_that_length_are_found_before_the_payload_and_in_it() -> None:
    def arrival(*at: tuple[float, int]) -> Arrival:
        seconds, sums = zip(*at, strict=True)
        return Arrival(0.0, seconds[-1], np.array(seconds), np.array(sums))

    behind_start = arrival((0.043, 20), (0.085, 5000), (0.086, 9000))
    before_the_last = arrival((0.001, 20), (0.002, 5000), (0.046, 9000), (0.146, 9500))
    assert held([behind_start, before_the_last]) == pytest.approx((0.042, 0.044))
    assert held([arrival((0.04, 20))]) == (0.0, 0.0)


def result_of(chunk: int, *, quick_acks: bool = False) -> Result:
    """A run of a camera that holds each answer back; chunks at 100 MB/s between."""
    waited, flowed = 10 * 0.044, 10 * chunk / 100e6
    reading = Reading(
        *("parts", chunk, 1, 10, 10 * chunk, waited + flowed),
        Timing(
            wait_ms=Spread.of([44.0] * 10),
            waited_s=waited,
            flowed_s=flowed,
            held_s=(10 * 0.0435, 0.0),
            flow_mb_per_s=100.0,
        ),
    )
    rows = [*latencies(), Latency("ping", Spread.of([0.2] * 10))]
    return Result(latencies=rows, readings=[reading], quick_acks=quick_acks)


def judged(result: Result) -> tuple[Figures, Verdict]:
    found = figures(result)
    return found, judge(found, result.readings)


def test_the_verdict_is_the_wait_and_what_would_help_and_not_the_camera() -> None:
    result = result_of(MiB)
    found, verdict = judged(result)
    assert verdict.limit == "acknowledgements"
    assert verdict.certainty == "likely"
    assert verdict.shares["camera"] == pytest.approx(0.0, abs=0.01)
    assert verdict.shares["acks"] == pytest.approx(0.80, abs=0.02)
    (reason,) = [line for line in verdict.reasons if "Nagle" in line]
    assert "each answer waits about 44 ms for an acknowledgement" in reason
    assert "a ping takes 0.2 ms" in reason
    assert sum("acknowledges at once" in line for line in verdict.help) == 1
    said = "\n".join(lines(result, found, verdict))
    assert "waiting for acknowledgements 8" in said
    assert "waiting for acknowledgements" in page(result, found, verdict)


def test_it_is_said_also_where_large_chunks_hide_it() -> None:
    _, verdict = judged(result_of(64 * MiB))
    assert verdict.limit == "link"
    assert any("Nagle" in line for line in verdict.reasons)
    assert any("acknowledges at once" in line for line in verdict.help)


def test_it_is_not_said_where_we_acknowledge_at_once() -> None:
    found, verdict = judged(result_of(MiB, quick_acks=True))
    assert found.answers.ack_wait_ms is None
    assert verdict.limit == "camera"
    assert not any("Nagle" in line for line in verdict.reasons)


def run(camera: Cameras, **options: object) -> tuple[Figures, Verdict]:
    sim = camera(objects=4, size=3_000_000, **options)
    plan = Plan(8.0, chunks=(MiB // 4,))
    return judged(Bench(sim.host, sim.port, timeouts=PATIENT, plan=plan).run())


needs_quick_acks = pytest.mark.skipif(
    not handshake.acknowledges_at_once(), reason="this system has no TCP_QUICKACK"
)


@needs_quick_acks
@pytest.mark.paced
@pytest.mark.parametrize("writes", ["apart", "pieces"])
def test_a_camera_with_nagle_is_recognised_without_quick_acknowledgements(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    monkeypatch.setattr(handshake, "QUICK_ACKS", False)
    found, verdict = run(camera, nagle=True, writes=writes)
    assert found.answers.ack_wait_ms is not None
    assert 30 < found.answers.ack_wait_ms < 60
    assert verdict.limit == "acknowledgements"


@needs_quick_acks
@pytest.mark.paced
def test_a_camera_that_takes_as_long_by_itself_is_not_taken_for_one(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "QUICK_ACKS", False)
    found, verdict = run(camera, link=Link(operation=0.042))
    assert found.answers.ack_wait_ms is None
    assert verdict.limit == "camera"


def test_a_run_of_before_has_no_such_figure() -> None:
    fields = Figures.of({"ack_wait_ms": 44.0}).flat()
    assert Figures.of(fields).answers.ack_wait_ms == 44.0
    del fields["ack_wait_ms"]
    assert Figures.of(fields).answers.ack_wait_ms is None
