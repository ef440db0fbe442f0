"""The jobs, with the lines of each program."""

from __future__ import annotations

from .place import GPHOTO2, PTPFAST
from .shooting import LIVE_S, live_view, shot_by_shot, with_losses
from .work import Task, again, cut, killed, only_raw, tethered, timed

LISTED = 1000
ALL = "gphoto2 --get-all-files"
PULL = "ptpfast pull CAMERA DEST"
WATCH, TETHERED = "ptpfast watch CAMERA DEST", "gphoto2 --capture-tethered"
BODY = "nikon-z8"  # both programs can drive it
TASKS = (
    Task("download the card", timed, {GPHOTO2: (ALL,), PTPFAST: (PULL,)}),
    Task(
        "again, with nothing new on the card",
        again,
        {GPHOTO2: (ALL, f"{ALL} --skip-existing"), PTPFAST: (PULL, PULL)},
    ),
    Task(
        f"list {LISTED:,} files",
        timed,
        {GPHOTO2: ("gphoto2 --list-files",), PTPFAST: ("ptpfast ls CAMERA",)},
        listed=LISTED,
    ),
    Task(
        "the RAW files only",
        only_raw,
        {
            GPHOTO2: ("gphoto2 --list-files", "gphoto2 --get-file N"),
            PTPFAST: (f"{PULL} --format raw",),
        },
    ),
    Task(
        "what was taken since a day", timed, {GPHOTO2: (), PTPFAST: (f"{PULL} --since 2020-01-01",)}
    ),
    Task(
        "named by the date",
        timed,
        {
            GPHOTO2: (f"{ALL} --filename %Y%m%d-%H%M%S-%f.%C",),
            PTPFAST: (f"{PULL} --name {{date}}-{{time}}-{{name}}",),
        },
    ),
    Task(
        "the connection is lost in the middle of a file",
        cut,
        {GPHOTO2: (ALL, f"{ALL} --skip-existing"), PTPFAST: (PULL, PULL)},
    ),
    Task(
        "the program is killed in the middle of a file",
        killed,
        {GPHOTO2: (ALL, f"{ALL} --skip-existing"), PTPFAST: (PULL, PULL)},
    ),
    Task(
        "download, then empty the card",
        timed,
        {
            GPHOTO2: (ALL, "gphoto2 --recurse --delete-all-files"),
            PTPFAST: (f"{PULL} --copies COPY --delete-verified",),
        },
    ),
    Task(
        "each shot as it is taken",
        tethered,
        {
            GPHOTO2: (TETHERED,),
            PTPFAST: (WATCH,),
        },
    ),
    Task(
        "24 shots, one each half second",
        shot_by_shot,
        {GPHOTO2: (TETHERED,), PTPFAST: (WATCH,)},
        body=BODY,
    ),
    Task(
        "24 shots, and the connection is lost twice",
        with_losses,
        {GPHOTO2: (TETHERED,), PTPFAST: (WATCH,)},
        body=BODY,
    ),
    Task(
        f"live view for {LIVE_S} s",
        live_view,
        {
            GPHOTO2: (f"gphoto2 --capture-movie={LIVE_S}s --stdout",),
            PTPFAST: (f"ptpfast live CAMERA --to - --seconds {LIVE_S}",),
        },
        body=BODY,
        unit="–",
    ),
)
