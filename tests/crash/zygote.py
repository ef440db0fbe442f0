"""Runs the command line again and again under the shim: everything is imported once, then each run
is a fork. One JSON object a line comes in for each run and one goes out."""

from __future__ import annotations

import ctypes
import encodings.idna
import encodings.utf_16_le  # noqa: F401 (what a run needs is imported before the forks)
import gc
import json
import os
import sqlite3  # noqa: F401
import sys
import traceback
from typing import Any

import ptpfast.cli.ls
import ptpfast.cli.progress
import ptpfast.cli.pull
import ptpfast.vendors.canon
import ptpfast.vendors.nikon  # noqa: F401
from ptpfast.cli.main import ptpfast as command_line
from ptpfast.session import persistence
from ptpfast.transfer import checkpoint

SHIM = ctypes.CDLL(None)


def run(request: dict[str, Any]) -> int:
    """In the child: the exit status."""
    checkpoint.KEEP_S = 0.0  # everything is noted whenever it can be
    os.environ["PTPFAST_CACHE"] = request["cache"]
    os.environ["PTPFAST_DATA"] = request["data"]
    persistence.FIRST_PAUSE_S = 0.01
    out = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(out, 1)
    os.dup2(out, 2)
    log = -1
    if request["log"]:
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    SHIM.crash_arm(
        request["folder"].encode(),
        request["mode"],
        ctypes.c_long(request["at"]),
        ctypes.c_long(request["room"]),
        log,
    )
    try:
        command_line.main(request["words"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 70


def serve() -> None:
    """Until there is no more to do."""
    gc.freeze()  # or each fork would copy what it looks at
    for line in sys.stdin:
        child = os.fork()
        if not child:
            status = 70
            try:
                status = run(json.loads(line))
            except BaseException:  # noqa: BLE001 # the fork must end here
                traceback.print_exc()
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
