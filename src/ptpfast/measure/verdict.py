"""The verdict: where the time of a download goes, and what would help. A pure function.

A request waits for its first byte: a round trip of the link, and the camera. Then data flows at the
rate of the link or of the camera. Then the disk stores it.

- The part of a wait beyond the round trip is the camera's. If waits grow with the chunk, the camera
  reads the whole chunk before it sends.
- Pauses of equal length between blocks of equal size are the camera's. It reads block by block, and
  the link is faster in between. Stalls without a pattern are the link's.
- Data that flows evenly at every chunk size flows at the rate of the link, or of a camera that
  feeds it evenly. From this side the two look alike, and the verdict says so.
- The disk's part is the extra time of a stored download, at least the time of its flush. If the
  disk alone is clearly faster, only the flush counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..vendors.quirks import MiB
from . import acks
from .result import Reading, chunk_words
from .shares import card_rate, one_at_a_time, time_shares
from .summary import Figures

LINK = ("data", "round trips", "stalls")
CLOSE = 0.10  # two limits whose shares differ by less are both to be named
BUSY = 0.75  # of a core: then this computer is the limit
UNHELD_MB_PER_S = 400.0  # a camera on this computer that is so quick imitates no link
AT_LINE_RATE = 0.85  # of the rate of a wire, with all headers
LOSSY = 0.001
LEAST_SHARE = 0.005  # a smaller share is 0%
WORTH = 1.05  # a gain smaller than this is not worth a word
SLOW_OPERATION_MS = 50.0
# In the largest parts data may take more of the time than a camera that needs so long for
# everything; in smaller ones, small files and listings it is the camera. It alone is proven, too:
# data that flow evenly may be the camera's doing.
SLOW_LEAD = 0.25
LARGER = 8 * MiB


CERTAINTY = {
    "clear": "clear",
    "likely": "likely, not certain",
    "close": "a close call",
    "unclear": "cannot tell",
}


@dataclass(frozen=True)
class Verdict:
    """The bottleneck of a run.

    Attributes:
        limit: `camera`, `link`, `disk`, `computer`, `acknowledgements` or `unclear`.
        certainty: `clear`, `likely` or `close` (to `second`), `unclear`.
        shares: The shares of a second of a download, 1 in all.
    """

    limit: str
    certainty: str
    title: str
    reasons: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    shares: dict[str, float] = field(default_factory=dict)
    second: str = ""


def judge(figures: Figures, readings: Sequence[Reading]) -> Verdict:
    """Return the verdict on a run, complete or not."""
    basis = _basis(readings)
    if basis is None:
        why = "no object's bytes were read one request at a time"
        return Verdict("unclear", "unclear", "Too little was measured to tell", (why,))
    shares = time_shares(figures, basis)
    limits = {
        "disk": shares["disk"],
        "camera": shares["camera"],
        "acknowledgements": shares["acks"],
        "link": sum(shares[name] for name in LINK),
        "computer": shares["computer"],
    }
    if _computer_is_busy(figures):  # then apparent waits are this computer's
        limits |= dict.fromkeys(("camera", "acknowledgements", "link"), 0.0)
        limits["computer"] = 1.0 - shares["disk"]
    limit, second = sorted(limits, key=lambda name: -limits[name])[:2]
    if (limit, second) == ("link", "camera") and _slow_camera_hides(figures, limits):
        limit, second = second, limit
    close = limits[limit] - limits[second] < CLOSE
    case = _Case(figures, readings, basis, shares)
    reasons, sure = case.reasons(limit)
    if close:
        reasons += case.reasons(second)[0]
    certainty = "close" if close else "clear" if sure else "likely"
    title = case.title(limit)
    if close:
        title += f", closely followed by {case.name(second)}"
    help = case.help(limit) + (case.help(second) if close else [])
    help += [acks.HELP] if figures.answers.ack_wait_ms is not None else []
    return Verdict(
        limit,
        certainty,
        title,
        tuple(dict.fromkeys(reasons + case.asides())),
        tuple(dict.fromkeys(help)),
        shares,
        second if close else "",
    )


def _computer_is_busy(figures: Figures) -> bool:
    """Return whether this computer is the only limit."""
    here = figures.network.link == "loopback" and figures.answers.ack_wait_ms is None
    here = here and (figures.rates.best_mb_per_s or 0.0) >= UNHELD_MB_PER_S
    return here or (figures.rates.cpu or 0.0) >= BUSY


def _slow_camera_hides(figures: Figures, limits: Mapping[str, float]) -> bool:
    """Return whether the link is first only because parts were so large.

    Without a round trip to subtract, the link may be the one that is slow at everything.
    """
    lead = limits["link"] - limits["camera"]
    return figures.network.rtt_ms is not None and lead < SLOW_LEAD and _takes_its_time(figures)


def _takes_its_time(figures: Figures) -> bool:
    """Return whether the camera is slow at every operation, also without data."""
    others = (figures.network.rtt_ms or 0.0) + (figures.answers.ack_wait_ms or 0.0)
    return (figures.answers.operation_ms or 0.0) - others > SLOW_OPERATION_MS


def _basis(readings: Sequence[Reading]) -> Reading | None:
    """Return the best reading with one request at a time, which shows its waits."""
    rows = one_at_a_time(readings) or [r for r in readings if r.way == "whole" and r.requests]
    return max(rows, key=lambda r: r.mb_per_s, default=None)


def sentence(line: str) -> str:
    """Return a text with a capital letter."""
    return line[:1].upper() + line[1:]


class _Case:
    """The numbers of one run, in words."""

    def __init__(
        self,
        figures: Figures,
        readings: Sequence[Reading],
        basis: Reading,
        shares: dict[str, float],
    ) -> None:
        self._figures = figures
        self._readings = readings
        self._basis = basis
        self._shares = shares
        self._flow = basis.timing.flow_mb_per_s or basis.mb_per_s
        self._wait_ms = 1e3 * basis.timing.waited_s / basis.requests
        self._radio = figures.network.link in ("wireless", "unknown")

    def name(self, limit: str) -> str:
        link = (
            "the radio link" if self._radio else "the link" if self._loopback() else "the network"
        )
        names = {"link": link, "disk": "the disk", "computer": "this computer"}
        names["acknowledgements"] = "the wait for acknowledgements"
        return names.get(limit, "the camera")

    def _loopback(self) -> bool:
        return self._figures.network.link == "loopback"

    def title(self, limit: str) -> str:
        return sentence(f"{self.name(limit)} is the limit")

    def reasons(self, limit: str) -> tuple[list[str], bool]:
        """Return the reasons for this limit, and how certain it is."""
        return {
            "disk": self._why_disk,
            "camera": self._why_camera,
            "acknowledgements": lambda: ([acks.reason(self._figures)], False),
            "link": self._why_link,
            "computer": self._why_computer,
        }[limit]()

    def _why_disk(self) -> tuple[list[str], bool]:
        store = self._figures.storing
        reasons = []
        if store.file_mb_per_s and store.memory_mb_per_s:
            reasons.append(
                f"a download is stored at {store.file_mb_per_s:.1f} MB/s; without storing it "
                f"reaches {store.memory_mb_per_s:.1f} MB/s"
            )
        if store.flushed and store.flushed >= LEAST_SHARE:
            reasons.append(
                f"{store.flushed:.0%} of it is waiting for the disk at the end of a file"
            )
        sure = False
        if store.disk_mb_per_s and store.memory_mb_per_s:
            sure = store.disk_mb_per_s < store.memory_mb_per_s
            relation = "slower" if sure else "hardly faster"
            reasons.append(
                f"the disk sustains {store.disk_mb_per_s:.1f} MB/s: {relation} than the camera "
                "delivers"
            )
        return reasons, sure

    def _why_camera(self) -> tuple[list[str], bool]:
        f, basis, timing = self._figures, self._basis, self._basis.timing
        reasons = []
        trip = ""
        if f.network.rtt_ms is not None:
            trip = f", {f.network.rtt_ms:.1f} ms of which are the link's round trip"
        if self._wait_ms >= 1 and not (timing.blocks and timing.blocks.paused > timing.waited_s):
            reasons.append(
                f"each request for {chunk_words(basis.chunk)} waits {self._wait_ms:.0f} ms for its "
                f"first byte{trip}; then data arrives at {self._flow:.1f} MB/s"
            )
        if f.answers.operation_ms is not None and _takes_its_time(f):
            reasons.append(
                f"it is slow at everything: GetObjectInfo takes {f.answers.operation_ms:.0f} ms"
            )
        if (card := card_rate(self._readings)) is not None:
            reasons.append(
                "the wait grows with the chunk size: the camera reads the whole chunk, at "
                f"{card / 1e6:.1f} MB/s, before it sends the first byte"
            )
        if timing.blocks is not None:
            blocks = timing.blocks
            paused = blocks.paused / timing.flowed_s
            between = f"at {blocks.rate / 1e6:.0f} MB/s or more" if blocks.rate else "at once"
            reasons.append(
                f"data arrives in blocks of {blocks.size / 1024:.0f} KiB with a pause of "
                f"{1e3 * blocks.pause:.0f} ms before each, {paused:.0%} of the time they flow; "
                f"each comes {between}, so the link could do more"
            )
        sure = f.network.rtt_ms is not None or timing.blocks is not None
        if not sure:
            reasons.append(
                "not known: how much of the wait is the link's round trip; the camera does not "
                "answer pings and this system does not show TCP's"
            )
        return reasons, sure

    def _why_link(self) -> tuple[list[str], bool]:
        net, steady = self._figures.network, self._figures.steadiness
        flows = (r.timing.flow_mb_per_s for r in one_at_a_time(self._readings))
        rates = [rate for rate in flows if rate]
        even = len(rates) > 1 and min(rates) > 0.8 * max(rates)
        reasons = [
            f"while data flows, it arrives at {self._flow:.2f} MB/s"
            + (" for every chunk size" if even else "")
            + f", and the link is in use {self._shares['data']:.0%} of the time"
        ]
        if self._wait_ms < 1e3 * self._basis.timing.flowed_s / self._basis.requests / 4:
            reasons.append(f"the camera starts each answer after only {self._wait_ms:.0f} ms")
        if self._shares["stalls"] > 0.02:
            reasons.append(
                f"{steady.stalls} stalls, the longest of {steady.longest_stall_s:.1f} s, without "
                "a pattern"
            )
        sure = False
        if net.loss is not None and net.loss > LOSSY:
            sure = True
            reasons.append(
                f"{net.loss:.1%} of the packets came out of order: the camera sends more than the "
                "link carries, or the link loses some"
            )
        if (
            net.link == "wired"
            and net.link_mb_per_s
            and self._flow > AT_LINE_RATE * net.link_mb_per_s
        ):
            sure = True
            reasons.append(f"that is all a cable of {8 * net.link_mb_per_s:.0f} Mbit/s carries")
        if not sure:
            reasons.append(
                "not known: whether the link or the camera sets this rate; both look the same from "
                "here"
            )
        return reasons, sure

    def _why_computer(self) -> tuple[list[str], bool]:
        cpu = self._figures.rates.cpu or 0.0
        if cpu >= BUSY:
            return [f"reading takes {cpu:.0%} of a processor core at {self._flow:.0f} MB/s"], True
        if self._loopback() and (self._figures.rates.best_mb_per_s or 0.0) >= UNHELD_MB_PER_S:
            here = "the camera is on this computer, and no link is simulated between the two"
            return [f"{here}: data arrives at {self._flow:,.0f} MB/s"], True
        return [f"{self._shares['computer']:.0%} of the time is between requests, here"], False

    def asides(self) -> list[str]:
        """Return remarks for any limit."""
        f = self._figures
        found = [] if f.answers.ack_wait_ms is None else [acks.reason(f)]
        p5, p50 = f.steadiness.steady_p5_mb_per_s, f.steadiness.steady_p50_mb_per_s
        if p5 is not None and p50 and p5 < 0.6 * p50:
            found.append(
                f"the rate varies: one second in twenty has {p5:.1f} MB/s or less, half have "
                f"{p50:.1f} or more"
            )
        if f.network.signal_dbm is not None and f.network.signal_dbm < -67:
            found.append(f"the signal is weak here: {f.network.signal_dbm:.0f} dBm")
        return found

    def help(self, limit: str) -> list[str]:
        """Return what would help against the limit, the best first."""
        if limit == "disk":
            return ["another destination: an internal SSD, and a copy to this disk afterwards"]
        if limit == "acknowledgements":
            return [acks.HELP]
        if limit == "link":
            return self._against_link()
        if limit == "camera":
            return self._against_camera()
        return ["a faster computer; nothing on the camera's side"]

    def _against_link(self) -> list[str]:
        waits = self._fewer_waits()
        found = list(waits)
        if self._radio:
            found += [
                "less distance and fewer walls between them; 5 GHz if camera and computer have it",
                "joining the camera's own network: through an access point every byte crosses "
                "the air twice, which halves the rate",
                "a cable, if the camera has a network port",
            ]
        elif not self._loopback():
            found.append("a faster port or cable; check that nothing on the way is wireless")
        if self._shares["data"] > 0.9:
            more = "beyond that, nothing" if waits else "nothing"
            found.append(f"{more} in software: the link is almost always in use")
        return found

    def _against_camera(self) -> list[str]:
        found = self._fewer_waits()
        if self._basis.timing.blocks is not None or card_rate(self._readings) is not None:
            found.append("a faster card, if the camera waits for its card")
        if _takes_its_time(self._figures):
            found.append(
                "ending other tasks of the camera (live view, image review, writing pictures)"
            )
        return found or ["nothing on this computer: the camera is not faster"]

    def _fewer_waits(self) -> list[str]:
        """Return larger chunks and pipelined requests, with their measured or possible gain."""
        found = []
        basis, rates = self._basis, self._figures.rates
        usual = rates.usual_mb_per_s or rates.one_mib_mb_per_s or basis.mb_per_s or 1.0
        gain = (rates.best_mb_per_s or 0.0) / usual
        if rates.best_chunk is not None and gain > WORTH:
            depth = f"--depth {rates.best_depth} " if (rates.best_depth or 1) > 1 else ""
            chunk = chunk_words(rates.best_chunk).replace(" ", "") if rates.best_chunk else "0"
            of = "" if rates.best_chunk else ", for whole objects"
            found.append(
                f"{depth}--chunk {chunk}{of}: {gain:.2f} times the rate that pull reaches "
                "by default"
            )
        ahead = any(r.way == "parts" and r.depth > 1 for r in self._readings)
        if not ahead and basis.chunk:
            # The wait of each request is hidden behind the data of the one before.
            seconds, wait = basis.seconds / basis.requests, self._wait_ms / 1e3
            gain = basis.mb_per_s / usual * seconds / max(seconds - wait, wait, 1e-9)
            if gain > WORTH:
                found.append(
                    f"pipelining could bring up to {gain:.2f} times the rate: 'ptpfast tune' finds "
                    "out whether this camera can handle it, 'ptpfast bench --depth 2' by how much"
                )
        return found
