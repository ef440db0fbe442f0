"""Kept runs come back as they were, a fallen number fails the check and a noisy one does not, and
the page says what is in the runs, in the README too."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench import check, history, page
from bench.__main__ import BENCHES
from bench.bench_wifi import LinkCase
from bench.check import MARGINS
from bench.harness import COUNTED, PACED, TIMED, Case, Range, Sample
from bench.headlines import HEADLINES, ON_LINKS
from bench.history import Run

ROOT = Path(__file__).resolve().parents[2]
HEAD = {
    "commit": "abc1234+",
    "date": "2026-11-22T10:00",
    "machine": {"cpu": "a", "cores": 2, "memory_gib": 4.0, "kernel": "Linux 1"},
    "versions": {"python": "3.11.7", "numpy": "2.0", "compiler": "cc 12", "ptpfast": "0.1.0"},
}
RATE = "download, GetObject | rate, of C's"
PART = "a link | ptpfast, of raw"
COUNT = "pieces | parser: instructions a MiB"
OVER = "a link | rate, over gphoto2"
LINE = {"step": 0.05, "seconds": 0.09, "bytes": [50_000, 20_000]}


def cases() -> list[tuple[str, Case]]:
    loopback = Case("download, GetObject", {"C": [Sample(10**9, 1.0, 0.5, 2048, 7)]})
    loopback.samples["ptpfast"] = [Sample(10**9, 1.25, 0.5, 40960, 7, requests=3)]
    loopback.calls["C"] = 1234.5
    loopback.claim("rate, of C's", Range(0.7, 0.8, 0.9), 0.95)
    link = LinkCase("a link: 2 MB/s", timelines={"ptpfast": LINE})
    link.claim("ptpfast, of raw", Range(0.9, 0.95, 1.0), 0.9)
    link.claim("rate, over gphoto2", Range(1.1, 1.2, 1.3), 1.0)
    pieces = Case("pieces", kind=COUNTED, missing={"gphoto3": "not there"})
    pieces.claim("parser: instructions a MiB", Range.of([1e6]), None, at_least=False)
    pieces.wrong["the seed"] = "wrong"
    return [("download", loopback), ("wifi", link), ("micro", pieces)]


def kept(**medians: float) -> Run:
    """A run whose numbers are as in `cases`, but for these: r(ate), p(art), c(ount), o(ver)."""
    run = Run.of(copy.deepcopy(HEAD), 60.4, cases())
    for name, median in medians.items():
        ratio = run.ratios[{"r": RATE, "p": PART, "c": COUNT, "o": OVER}[name]]
        ratio.value = Range(median, median, median)
    return run


def verdicts(newest: Run, earlier: list[Run]) -> dict[str, str]:
    return {finding.name: finding.verdict for finding in check.compare(newest, earlier)}


def test_a_run_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    run = kept()
    path = run.write(tmp_path)
    assert path.name == "2026-11-22T1000-abc1234.json"
    assert path.read_text(encoding="utf-8").count("\n") == 1
    assert history.load(tmp_path) == [run]
    assert run.ratios[RATE].bench == "download"
    assert run.ratios[PART].kind == PACED
    assert run.tables["download, GetObject"]["C"]["calls_per_gb"] == 1234.5
    assert run.tables["download, GetObject"]["ptpfast"]["requests"] == 3
    assert run.timelines["a link"]["ptpfast"] == LINE
    assert run.wrong == {"pieces": {"the seed": "wrong"}}


@pytest.mark.parametrize("spoilt", ["", "{}", "[]", '{"ratios": {"a | b": {}}}', '{"ratios": 1}'])
def test_a_file_that_is_no_run_is_named(spoilt: str, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text(spoilt, encoding="utf-8")
    with pytest.raises(ValueError, match=r"some\.json is not a run"):
        history.load(tmp_path)


@pytest.mark.parametrize(
    ("fallen", "within"),
    [({"r": 0.5}, {"r": 0.6}), ({"p": 0.83}, {"p": 0.87}), ({"c": 1.03e6}, {"c": 1.01e6})],
    ids=["timed", "paced", "counted"],
)
def test_a_fallen_number_fails_and_a_noisy_one_within_the_margin_passes(
    fallen: dict[str, float], within: dict[str, float]
) -> None:
    earlier = [kept(), kept(r=0.81, p=0.96), kept(r=0.1, p=0.1, c=2e6)]  # one bad run sets nothing
    assert list(verdicts(kept(**fallen), earlier).values()).count("fallen") == 1
    assert set(verdicts(kept(**within), earlier).values()) == {"fine"}


def test_a_number_that_rises_is_fine_and_one_that_must_be_small_falls_by_rising() -> None:
    assert set(verdicts(kept(r=2.0, p=2.0, c=1.0), [kept()]).values()) == {"fine"}
    assert verdicts(kept(c=2e6), [kept()])[COUNT] == "fallen"


def test_far_from_its_limit_a_number_may_move_by_a_part_of_the_limit() -> None:
    """0.08 MiB of the 16 that memory may grow by, then 0.2: that is nothing."""
    runs = [kept(c=0.08), kept(c=0.2), kept(c=7.0)]
    for run in runs:
        run.ratios[COUNT].must, run.ratios[COUNT].kind = 16.0, TIMED
    assert verdicts(runs[1], runs[:1])[COUNT] == "fine"
    assert verdicts(runs[2], runs[:1])[COUNT] == "fallen"


def test_only_what_is_alike_is_compared() -> None:
    before = kept(r=9.0, c=1.0)
    now = kept()
    now.machine["cpu"] = "another"
    assert verdicts(now, [before])[RATE] == "new"
    assert verdicts(now, [before])[PART] == "fine"  # a link is the same on every machine
    now = kept()
    now.versions["numpy"] = "3.0"
    assert verdicts(now, [before])[COUNT] == "new"
    now = kept()
    now.versions["python"] = "3.11.9"
    assert verdicts(now, [before])[COUNT] == "fallen"


def test_a_missing_contender_is_said_and_does_not_fail() -> None:
    now = kept()
    del now.ratios[OVER]
    now.missing["gphoto2"] = "not installed"
    (finding,) = [f for f in check.compare(now, [kept()]) if f.name == OVER]
    assert finding.verdict == "missing"
    assert "gphoto2: not installed" in finding.said
    assert not finding.bad


def test_a_number_that_is_gone_fails_unless_the_reason_is_known() -> None:
    now = kept()
    del now.ratios[PART]
    assert verdicts(now, [kept()])[PART] == "gone"
    now.missing["wifi"] = "no root"
    assert verdicts(now, [kept()])[PART] == "missing"
    now = kept()
    del now.ratios[PART]
    now.missing["a link"] = "the budget is too short"
    assert verdicts(now, [kept()])[PART] == "missing"
    now = kept()
    del now.ratios[COUNT]
    now.benches.remove("micro")
    assert verdicts(now, [kept()])[COUNT] == "missing"


@pytest.mark.parametrize(("median", "status"), [(0.8, 0), (0.2, 1)])
def test_a_newer_run_of_another_benchmark_hides_nothing(
    median: float,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs = [kept(), kept(r=median), kept().only("wifi")]
    for day, run in enumerate(runs):
        run.date = f"2026-11-2{day}T10:00"
        run.write(tmp_path)
    monkeypatch.setattr(check, "load", lambda: history.load(tmp_path))
    assert check.main() == status
    said = capsys.readouterr().out
    assert "  wifi: 2026-11-22T10:00" in said
    assert "  download: 2026-11-21T10:00" in said


@pytest.mark.parametrize(("median", "status"), [(0.8, 0), (0.2, 1)])
def test_the_check_says_its_margins_and_fails_by_its_status(
    median: float,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs = [kept(), kept(r=median)]
    runs[1].date = "2026-11-23T10:00"
    runs[1].missing["gphoto2"] = "not installed"
    monkeypatch.setattr(check, "load", lambda: runs)
    assert check.main() == status
    said = capsys.readouterr().out
    for kind, margin in MARGINS.items():
        assert f"margin of what is {kind}: {margin:.0%}" in said
    assert ("FALLEN" in said) == bool(status)
    assert "MISSING  gphoto2: not installed" in said


def test_without_runs_there_is_nothing_to_check_and_nothing_to_draw(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "load", list)
    monkeypatch.setattr(page, "load", list)
    assert check.main() == 0
    assert page.main() == 1
    assert capsys.readouterr().out.count("no run is kept") == 2


@pytest.mark.parametrize("words", [["--append", "--quick"], ["nothing"]])
def test_quick_runs_are_not_kept_and_unknown_benchmarks_are_refused(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "error:" in done.stderr


def test_the_page_has_every_number_and_the_same_runs_draw_the_same_files(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    runs = [kept(), kept(r=0.97)]
    runs[1].missing["gphoto2"] = "not installed"
    written = page.text(runs)
    for part in ("**0.95**", "0.97", "≥ 0.95", "1,000,000", "gphoto2: not installed", "| 0.80 |"):
        assert (part in written) == (part != "**0.95**"), part
    drawn = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        page.draw(runs, tmp_path / name)
        drawn.append({p.name: p.read_bytes() for p in sorted((tmp_path / name).iterdir())})
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) >= {"timeline.svg", "trend-download.svg", "trend-wifi.svg"}
    for file in drawn[0]:
        assert f"({file})" in written, file


def test_the_readme_takes_figures_between_its_marks_only() -> None:
    readme = f"before\n{page.BEGIN}\nstale figures\n{page.END}\nafter\n"
    run = kept(r=0.5)
    written = page.with_figures(readme, [run])
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "stale" not in written
    assert page.with_figures(written, [run]) == written
    with pytest.raises(ValueError, match="marks"):
        page.with_figures("no marks", [run])


def test_what_the_newest_run_left_out_is_an_earlier_one_s_and_marked_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, what = history.parts(RATE)
    monkeypatch.setattr(page, "HEADLINES", {"the rate": [("download", page.bare(case), what)]})
    earlier, newest = kept(r=0.987), kept(r=0.5)
    earlier.commit = "0ldc0de"
    assert "¹" not in page.measured([earlier, newest])
    newest.ratios = {name: r for name, r in newest.ratios.items() if r.bench != "download"}
    assert "0.99" not in page.measured([earlier, newest])  # measured in vain: gone, not old
    newest.benches.remove("download")
    written = page.measured([earlier, newest])
    assert "| the rate ¹ | 0.99 |" in written
    assert "¹ Commit 0ldc0de" in written


def test_each_of_many_earlier_runs_has_a_mark_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    case, what = history.parts(RATE)
    names = [f"bench{number}" for number in range(11)]
    rows = {name: [(name, page.bare(case), what)] for name in names}
    monkeypatch.setattr(page, "HEADLINES", rows)
    runs = [kept() for _ in [*names, "newest"]]
    for run, name in zip(runs, names, strict=False):
        run.benches, run.commit, run.ratios[RATE].bench = [name], name, name
    written = page.measured(runs)
    assert "| bench6 ⁷ |" in written
    assert "⁷ Commit bench6," in written
    assert "¹¹ Commit bench10," in written


def test_the_page_has_what_the_newest_run_left_out_from_an_earlier_one(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    earlier, newest = kept(r=0.987), kept()
    earlier.commit = "0ldc0de"
    assert "earlier run." not in page.text([earlier, newest])
    newest.ratios = {name: r for name, r in newest.ratios.items() if r.bench != "download"}
    newest.benches.remove("download")
    newest.timelines = {}
    runs = [earlier, newest]
    written = page.text(runs)
    assert "| 0.99 " in written
    assert written.count("From an earlier run. Commit 0ldc0de") == 2  # numbers, and the timeline
    page.draw(runs, tmp_path)
    for file in ("timeline.svg", "trend-download.svg", "trend-wifi.svg"):
        assert f"({file})" in written
        assert (tmp_path / file).exists()


def newest() -> Run:
    runs = history.load()
    if not runs:
        pytest.skip("no run is kept")
    return runs[-1]


def test_the_figures_of_the_readme_and_the_page_are_those_of_the_newest_run() -> None:
    newest()
    runs = history.load()
    for file, only in page.WITH_FIGURES.items():
        drawn = file.read_text(encoding="utf-8")
        assert page.with_figures(drawn, runs, only) == drawn, "run `make bench-page`"
    assert page.PAGE.read_text(encoding="utf-8") == page.text(runs), "make bench-page"


def test_every_headline_is_a_number_that_the_newest_run_has_or_says_why_not() -> None:
    run = newest()
    known = {(page.bare(case), what) for case, what in map(history.parts, run.ratios)}
    whats = {what for _, what in known}
    absent = (set(BENCHES) - set(run.benches)) | set(run.missing)
    for wanted in HEADLINES.values():
        for bench, case, what in wanted:
            assert bench in BENCHES
            excused = bench in absent or any(name in what for name in run.missing)
            assert (case, what) in known or excused, (case, what)
    for what in ON_LINKS:
        assert what in whats or "wifi" in absent or any(name in what for name in absent), what


def test_kept_files_are_compact() -> None:
    for path in history.RESULTS.glob("*.json"):
        assert path.stat().st_size < 100_000
        assert json.loads(path.read_text(encoding="utf-8"))["ratios"]
