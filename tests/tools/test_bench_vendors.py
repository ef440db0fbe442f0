"""The benchmark of the vendors' bodies goes by the vendors' tables, and pulls what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bench import bench_vendors, sides
from bench.bench_vendors import EVIDENCE, MIB, STANDARD, Limit, judge
from bench.content import WrongContent
from bench.harness import Case, Sample

import ptpfast
from conftest import PATIENT, spoken_by
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.vendors.quirks import MOST_CHUNK

pytestmark = pytest.mark.tools

BODIES = sorted(vendors.BODIES)


@pytest.mark.parametrize("body", BODIES)
def test_the_limit_of_a_body_is_the_one_its_session_goes_by(body: str) -> None:
    limit = Limit.of(body)
    with (
        SimulatedCamera(body=body, objects=1, size=1000) as sim,
        ptpfast.connect(
            sim.host, port=sim.port, vendor=spoken_by(sim), timeouts=PATIENT
        ) as session,
    ):
        assert session.link.dialect.quirks.max_chunk == (limit.most or MOST_CHUNK)
    assert (limit.most is None) == (limit.table not in EVIDENCE)


@pytest.mark.parametrize("body", ["canon-r6m2", "fuji-xt4", "panasonic-bgh1", "sony-a7m4"])
def test_a_body_s_card_is_pulled_and_compared_with_what_it_is(body: str, tmp_path: Path) -> None:
    store = Store.synthetic(2, 60_000, model=vendors.with_body(body).model)
    with (
        sides.Imitation(rate=50e6) as link,
        sides.far_side(link, 2, 60_000, 0.0, body=body) as far,
    ):
        options = {"dir": tmp_path, "gate": far.gate, "body": body}
        assert sides.near(link, "pull", far.camera, **options)["bytes"] == 120_000
    first = tmp_path / store.files()[0].name
    whole = first.read_bytes()
    first.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WrongContent):
        sides.check_and_remove(tmp_path, store)
    first.write_bytes(whole)
    sides.check_and_remove(tmp_path, store)


def test_the_standard_body_can_be_read_with_a_limit(tmp_path: Path) -> None:
    size = 3 * MIB + 5
    with (
        sides.Imitation(rate=500e6) as link,
        sides.far_side(link, 1, size, 0.0) as far,
    ):
        sides.near(link, "pull", far.camera, dir=tmp_path, **{"max-chunk": MIB})
        asked = far.requests()
    sides.check_and_remove(tmp_path, Store.synthetic(1, size))
    assert sum(asked[code] for code in sides.CONTENT) == 4


def case_of(seconds: dict[str, list[float]]) -> Case:
    samples = {
        name: [Sample(bytes=10**8, seconds=s, cpu=1.0, peak_kib=1, reads=1) for s in took]
        for name, took in seconds.items()
    }
    return Case("every body", samples)


def test_a_body_with_a_limit_is_judged_by_the_standard_one_with_that_limit() -> None:
    limits = {body: Limit.of(body) for body in ("canon-r6m2", "ricoh-theta-m15")}
    case = case_of(
        {
            STANDARD: [2.0, 2.0],
            "standard, 1 MiB at most": [4.0, 4.0],
            "canon-r6m2": [4.1, 4.0],
            "ricoh-theta-m15": [2.0, 2.5],
        }
    )
    judge(case, limits)
    claims = {claim.what: claim for claim in case.claims}
    assert claims["canon-r6m2: rate, of standard"].must is None
    assert claims["canon-r6m2: rate, of standard, 1 MiB at most"].holds
    assert not claims["ricoh-theta-m15: rate, of standard"].holds
    assert claims["the slowest body: rate, of standard, its limit"].value.minimum == 0.8
    assert case.notes == [
        "canon-r6m2: 1 MiB at a time: an EOS R answers 5 MiB with no bytes (gphoto2 issue 198)"
    ]


def test_without_root_the_bodies_are_missing_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (case,) = bench_vendors.run(True)
    assert list(case.missing) == ["vendors"]
    assert not case.claims
