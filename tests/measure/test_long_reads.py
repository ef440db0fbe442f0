"""`ptpfast bench` for a long time, at several spots, with several cameras; and its files."""

from __future__ import annotations

import json
import re
import socket
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from conftest import HASTY, PATIENT, Cameras
from draw_bench_schema import PAGE, SCHEMA, drawn
from ptpfast.cli.bench_sharing import sharing_lines
from ptpfast.cli.main import ptpfast
from ptpfast.cli.options import Duration
from ptpfast.measure.engine import engine_speed
from ptpfast.measure.long import LinkLook, interval_s
from ptpfast.measure.plan import NobodyWatches, Plan
from ptpfast.measure.run import Bench
from ptpfast.measure.samples import Spread
from ptpfast.measure.series import Course, Interval, spots
from ptpfast.measure.sharing import Share, Sharing, share
from ptpfast.network.interface import Interface
from ptpfast.network.tcp import TcpState
from ptpfast.sim import Link, SimulatedCamera
from ptpfast.transport.contract import Address

MB = 1_000_000
STEADY = Link(rate=20e6, rtt=0.001)
PNG = b"\x89PNG\r\n\x1a\n"


def at(camera: SimulatedCamera) -> str:
    return f"{camera.host}:{camera.port}"


def command(*arguments: object, text: str = "") -> Result:
    result = CliRunner().invoke(ptpfast, ["bench", *map(str, arguments)], input=text)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no other process for the speed of this computer."""
    monkeypatch.setattr("ptpfast.measure.run.engine_speed", lambda: 1234.5)
    monkeypatch.setattr("ptpfast.measure.plan.SPOT_S", 1.2)


# Percentiles


def test_a_percentile_lies_between_the_order_statistics_of_the_binomial() -> None:
    hundred = Spread.of(range(1, 101))
    assert hundred.bounds[50] == (40.0, 61.0)  # Conover, Practical Nonparametric Statistics
    assert hundred.bounds[90] == (84.0, 96.0)
    assert 99 not in hundred.bounds
    assert Spread.of(range(6)).bounds == {50: (0.0, 5.0)}
    assert Spread.of(range(5)).bounds == {}


# A long read


def test_a_long_read_notes_each_interval_and_a_lost_connection(camera: Cameras) -> None:
    sim = camera(objects=3, size=4 * MB, link=STEADY)
    bench = Bench(sim.host, sim.port, timeouts=PATIENT, plan=Plan(1.0, long_s=3.0))
    seen: list[Interval] = []

    class Watch(NobodyWatches):
        def interval(self, interval: Interval) -> None:
            seen.append(interval)

        def step(self, what: str) -> None:
            if what == "a long read":
                sim.faults.add("drop after 100000 at 5")

    bench._watch = Watch()
    found = bench.run()
    assert found.complete
    assert found.intervals == seen
    assert sum(each.lost for each in seen) == 1
    for before, after in pairwise(seen):
        assert after.at == pytest.approx(before.at + before.seconds)
    course = Course.of(seen)
    assert 0 < course.bytes <= sim.counters.payload_bytes
    assert course.lost == 1


def test_a_long_read_that_the_camera_leaves_for_good_is_reported_so_far(camera: Cameras) -> None:
    sim = camera(objects=3, size=MB, link=STEADY)
    bench = Bench(sim.host, sim.port, timeouts=HASTY, plan=Plan(1.0, long_s=3.0))

    class Watch(NobodyWatches):
        def interval(self, interval: Interval) -> None:
            sim.close()

    bench._watch = Watch()
    found = bench.run()
    assert len(found.intervals) >= 1
    assert any("the read ended early" in note for note in found.notes), found.notes


def test_objects_that_are_refused_are_left_out_until_none_is_left(camera: Cameras) -> None:
    sim = camera(objects=2, size=MB, link=STEADY)
    bench = Bench(sim.host, sim.port, timeouts=PATIENT, plan=Plan(1.0, long_s=60.0))

    class Watch(NobodyWatches):
        def step(self, what: str) -> None:
            if what == "a long read":
                for operation in ("GetPartialObject", "GetObject"):
                    sim.faults.add(f"respond=0x200F on {operation} times 0")

    bench._watch = Watch()
    found = bench.run()
    [note] = [note for note in found.notes if "ended early" in note]
    assert note.startswith("the read ended early: no object can be read: "), note


def test_intervals_of_a_very_long_read_are_longer_and_not_more() -> None:
    assert interval_s(3600) == 1.0
    assert interval_s(7 * 86_400) == 84.0


def test_packets_are_counted_anew_after_another_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([state(10, 1), state(30, 2), state(5, 0)])
    monkeypatch.setattr("ptpfast.measure.long.tcp_state", lambda host, port: next(states))
    wireless = Interface("wired", "eth0", 125.0)
    monkeypatch.setattr("ptpfast.measure.long.interface_of", lambda local: wireless)
    look = LinkLook("192.0.2.1", 15740)
    first, second = look.look(Interval(0, 1, 0)), look.look(Interval(1, 1, 0))
    assert (first.segments, first.out_of_order) == (20, 1)
    assert (second.segments, second.out_of_order) == (5, 0)
    assert first.rtt_ms == 2.0


def state(segments: int, out_of_order: int) -> TcpState:
    return TcpState(1.0, 2.0, 0.5, segments, out_of_order, 0, "192.0.2.2")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2D", 172_800)],
)
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "h", "1x", "1h-2m", "9999d", "nan", "1 h", "٣m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a duration|out of range"):
        Duration().convert(text, None, None)


# A walk


def test_a_walk_compares_the_spots_and_ends_with_an_empty_line(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, size=2 * MB, link=STEADY)
    names = "at the <door>\n  window \n\nnever reached\n"
    run = command(at(sim), "--budget", 1, "--walk", "--json", "--into", tmp_path, text=names)
    assert run.exit_code == 0, run.output
    rows = records(run.stdout)
    assert [row["spot"] for row in rows if row["type"] == "spot"] == ["at the <door>", "window"]
    assert not [row for row in rows if row["type"] == "long"]
    measured = {row["spot"] for row in rows if row["type"] == "interval"}
    assert measured == {"at the <door>", "window"}


def test_a_walk_says_the_rate_of_each_spot_as_its_report_does(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, size=2 * MB, link=STEADY)
    run = command(at(sim), "--budget", 1, "--walk", "--into", tmp_path, text="door\nwindow\n\n")
    assert run.exit_code == 0, run.output
    for spot in ("door", "window"):
        (reported,) = re.findall(rf"^  {spot} +(.*)$", run.stdout, re.MULTILINE)
        assert run.stderr.count(f"{spot}: {reported}\n") == 1


def test_a_spot_that_is_named_twice_is_one_spot() -> None:
    walk = [
        Interval(0, 1, MB, spot="a"),
        Interval(1, 1, MB, spot="b"),
        Interval(2, 1, 3 * MB, spot="a"),
    ]
    assert [(course.spot, course.mb_per_s) for course in spots(walk)] == [("a", 2.0), ("b", 1.0)]


# Files


def test_saved_results_tell_neither_place_nor_time(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2, size=2 * MB, link=STEADY)
    secret = tmp_path / "kitchen-of-ann"
    secret.mkdir()
    saved = tmp_path / "saved.jsonl"
    run = command(
        at(sim), "--budget", 1, "--walk", "--into", secret, "--save", saved, text="attic of ann\n\n"
    )
    assert run.exit_code == 0, run.output
    text = saved.read_text()
    for private in (sim.host, str(sim.port), str(secret), "attic", socket.gethostname(), '"lo"'):
        assert private not in text, private
    rows = records(text)
    whens = [row["when"] for row in rows if "when" in row]
    assert len(whens) == 2
    assert all(len(when) == len("2026-11-30") for when in whens)
    assert [row["spot"] for row in rows if row["type"] == "spot"] == ["spot 1"]
    again = command(at(sim), "--budget", 1, "--into", tmp_path, "--compare", saved)
    assert again.exit_code == 0, again.output
    assert "Compared with" in again.output


@pytest.mark.parametrize("options", [(), ("--for", "2s"), ("--walk",)])
def test_a_picture_is_an_svg_that_stands_alone(
    camera: Cameras, tmp_path: Path, options: tuple[str, ...]
) -> None:
    sim = camera(objects=2, size=2 * MB, link=STEADY)
    picture = tmp_path / "x.svg"
    text = "the <b>door</b> & window\n\n"
    run = command(
        at(sim), "--budget", 1, *options, "--into", tmp_path, "--picture", picture, text=text
    )
    assert run.exit_code == 0, run.output
    drawing = ET.fromstring(picture.read_text())
    assert drawing.tag.endswith("svg")
    assert "var(" not in picture.read_text()  # colours of the page's style, which is not there


def test_a_picture_can_be_a_png(camera: Cameras, tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    sim = camera(objects=2, size=2 * MB, link=STEADY)
    picture = tmp_path / "x.PNG"
    run = command(at(sim), "--budget", 1, "--into", tmp_path, "--picture", picture)
    assert run.exit_code == 0, run.output
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--picture", "x.gif"), "must end with .svg or .png"),
        (("--picture", "missing/x.svg"), "there is no folder missing"),
        (("--save", "missing/x"), "there is no folder missing"),
        (("--for", "soon"), "write 90, 45m, 2h or 1h30m"),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_camera_is_asked(
    options: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = command("192.0.2.1", *options)
    assert run.exit_code == 2
    assert why in run.output


def test_a_png_without_its_library_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    run = command("192.0.2.1", "--picture", "x.png")
    assert run.exit_code == 2
    assert "ptpfast[report]" in run.output


def test_each_line_fits_its_schema_and_the_page_has_them_all(
    camera: Cameras, tmp_path: Path
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    checker = jsonschema.Draft202012Validator(schema)
    sim = camera(objects=2, size=2 * MB, link=STEADY)
    saved = tmp_path / "saved.jsonl"
    options = ("--for", "2s", "--walk", "--json", "--into", tmp_path, "--save", saved)
    run = command(at(sim), "--budget", 2, *options, text="door\n\n")
    other = command(at(sim), at(camera(objects=1, size=MB)), "--budget", 3, "--json")
    refused = command(at(camera(objects=0)), "--json", "--budget", 1)
    rows = records(run.stdout + other.stdout + refused.stdout + saved.read_text())
    for row in rows:
        kind = schema["$defs"][row["type"]]
        errors = [e.message for e in checker.evolve(schema={**schema, **kind}).iter_errors(row)]
        assert not errors, (row, errors)
    assert {row["type"] for row in rows} >= {"interval", "spot", "long", "engine", "share", "error"}
    assert drawn(PAGE.read_text()) == PAGE.read_text()


# Several cameras


def test_cameras_on_links_of_their_own_do_not_slow_each_other_down(camera: Cameras) -> None:
    cameras = [camera(objects=2, size=MB, link=STEADY), camera(objects=0)]
    addresses = [Address(each.host, each.port) for each in cameras]
    found = share(addresses, 1.2, timeouts=PATIENT, watch=NobodyWatches())
    first, empty = found.shares
    assert first.alone is not None
    assert first.together is not None
    assert (empty.alone, empty.together) == (None, None)
    assert empty.problem == "no object to measure with"
    assert found.is_shared is None  # one camera alone proves nothing


@pytest.mark.parametrize(("together", "shared"), [((20, 10), False), ((10, 5), True)])
def test_cameras_that_have_less_together_share_a_channel(
    together: tuple[int, int], shared: bool
) -> None:
    def course(mb_per_s: int) -> Course:
        return Course.of([Interval(0, 1, mb_per_s * MB)])

    alone = (20, 10)
    shares = [
        Share(f"c{n}", "", course(one), course(other))
        for n, (one, other) in enumerate(zip(alone, together, strict=True))
    ]
    found = Sharing(tuple(shares))
    assert found.is_shared is shared
    assert ("share a channel" in sharing_lines(found)[-2]) is shared


@pytest.mark.parametrize("option", ["--walk", "--html=x.html", "--for=1h", "--depth=2"])
def test_what_takes_one_camera_is_refused_with_several(option: str, tmp_path: Path) -> None:
    run = command("192.0.2.1", "192.0.2.2", option)
    assert run.exit_code == 2
    assert "measures one camera" in run.output


# This computer


def test_the_engine_of_this_computer_is_measured_and_nothing_is_left_running() -> None:
    assert (engine_speed(0.05) or 0) > 1
