"""The headlines: a sentence, and the numbers it is of, by benchmark, case and what of it. Cases are
named without where their files were.
"""

from __future__ import annotations

PACKETS = ("8 KiB", "64 KiB", "1 MiB")
OF = f"packets of {', '.join(PACKETS)}"
RATE, CPU = "rate, of C's", "CPU per GB, of C's"
FILE, FILES = "download, 1 × 1000 MB", "download, 20 × 25 MB"
NUMPY = "read_into numpy, 1000 MB, touched pages"
EVERYBODY = "contenders, 20 × 25 MB, Data packets of 64 KiB"
CAMERAS = "8 cameras at once, 8 × 25 MB each,"
SMALL = "5,000 × 20 KB over 4 ms at 30 MB/s"
REQUESTS, WIRE = "requests each, at any depth", "of the wire, depth 16"
APART = "Nagle, packets apart"
NAGLE = (
    "listing, 300 objects from a camera of 5 ms",
    "thumbnails, 300 × 20 KB from a camera of 5 ms",
    "1 MiB chunks, 6 × 25 MB from a camera of 5 ms and 110 MB/s",
)
VENDORS = "every body on mirrorless-11ac-2x2"
RESIDENT = "resident memory, one object of 6 GiB"
BUSY = "a busy Python thread, 400 MB held to 200 MB/s,"
KEPT = "speed kept, of an idle machine's"
START = "start of a process"
PRICE, PRICE_ON_LINK = "price of certainty, 20 × 25 MB", "price of certainty, 110 MB/s, 0.3 ms"
HASHES = ("hash", "hash, xxh3")


def _each(bench: str, case: str, what: str) -> list[tuple[str, str, str]]:
    return [(bench, f"{case}, GetObject, {packet} packets", what) for packet in PACKETS]


def _priced(case: str, what: str) -> list[tuple[str, str, str]]:
    return [("verify", case, f"{what}, verify {name}") for name in HASHES]


HEADLINES = {
    f"one file of 1 GB, {OF}: rate ÷ a C program's": _each("download", FILE, RATE),
    "… CPU per GB ÷ C's": _each("download", FILE, CPU),
    f"20 files of 25 MB, {OF}: rate ÷ a C program's": _each("download", FILES, RATE),
    "… CPU per GB ÷ C's, 20 files": _each("download", FILES, CPU),
    "20 files of 25 MB that reach a disk: rate ÷ a C program's": [
        ("download", "files that reach a disk, 20 × 25 MB, 64 KiB packets", RATE)
    ],
    f"1 GB into a numpy array, {OF}: rate ÷ C's": _each("memory", NUMPY, RATE),
    "eight cameras in one process: rate ÷ eight C programs'": [
        ("cameras", CAMERAS, "aggregate rate, of eight C programs'")
    ],
    "… memory for each camera, MiB": [("cameras", CAMERAS, "memory for each camera")],
    "over loopback: rate ÷ gphoto2's · ÷ python-gphoto2's": [
        ("contenders", EVERYBODY, f"rate, over {name}") for name in ("gphoto2", "python-gphoto2")
    ],
    "5,000 objects of 20 KB by `pull`: requests each · part of the wire, 16 outstanding": [
        ("small", f"pull, {SMALL}", what) for what in (REQUESTS, WIRE)
    ],
    "… as many thumbnails into memory": [
        ("small", f"thumbnails, {SMALL}", what) for what in (REQUESTS, WIRE)
    ],
    "a camera that leaves Nagle on: listing · thumbnails · 1 MiB chunks: rate ÷ with NODELAY": [
        ("nagle", case, f"{APART}: rate, of NODELAY's") for case in NAGLE
    ],
    "50 MB/s over 8 ms: 1 MiB at a time · 8 MiB · 1 MiB sent ahead: rate ÷ one TCP stream's": [
        ("chunks", "round trips", f"{way}, of one TCP stream")
        for way in (
            "1 MiB, one at a time",
            "8 MiB, one at a time",
            "1 MiB, next request already sent",
        )
    ],
    "every simulated body over Wi-Fi of 55 MB/s: the slowest one's rate ÷ the standard body's": [
        ("vendors", VENDORS, "the slowest body: rate, of standard, its limit")
    ],
    "an object of 6 GiB: memory grows by, MiB": [("resident", RESIDENT, "growth")],
    "`--verify hash`, SHA-256 · XXH3: rate ÷ without, over loopback": _priced(PRICE, "rate"),
    "… CPU per GB ÷ without": _priced(PRICE, "CPU per GB"),
    "… rate ÷ without, on a link of 110 MB/s": _priced(PRICE_ON_LINK, "rate"),
    "100 files of 5 MB at 50 MB/s, 100 ms more a flush: time ÷ without": [
        ("disk", "a slow disk, 100 × 5 MB at 50 MB/s", "time, of that with quick flushes")
    ],
    "a busy Python thread keeps, of its speed": [
        ("busy", BUSY, "speed kept, of an idle machine's")
    ],
    "`import ptpfast` beyond numpy · `ptpfast --help`, ms": [
        ("startup", START, what) for what in ("import ptpfast beyond numpy", "ptpfast --help")
    ],
}
# The worst and the best of the links on which it must hold.
ON_LINKS = {
    "ptpfast, of raw": "every link, default settings: rate ÷ one raw TCP stream's",
    "ptpfast 2 × 1 MiB, of raw": "links of 18 to 110 MB/s, two requests of 1 MiB: rate ÷ raw TCP's",
    "rate, over gphoto2": "every link: rate ÷ gphoto2's",
    "rate, over python-gphoto2": "every link: rate ÷ python-gphoto2's",
}
# The five that stand in the README, in words for a first reader.
FIRST = {
    f"20 files of 25 MB, {OF}: rate ÷ a C program's": "20 files of 25 MB over loopback, in small, "
    "medium and large packets: rate ÷ a C program's",
    "5,000 objects of 20 KB by `pull`: requests each · part of the wire, 16 outstanding": "5,000 "
    "files of 20 KB: requests for each file · rate ÷ the link's",
    "an object of 6 GiB: memory grows by, MiB": "one file of 6 GiB: growth of memory in MiB",
    ON_LINKS["ptpfast 2 × 1 MiB, of raw"]: "simulated Wi-Fi and Ethernet up to 110 MB/s, two "
    "pipelined requests: rate ÷ one TCP stream's",
    ON_LINKS["rate, over gphoto2"]: "every simulated link, default settings: rate ÷ gphoto2's",
}
