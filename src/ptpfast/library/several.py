"""Several cameras in one run: a thread each, one destination, one report.

Each camera has its own `Run`, with its connection, plan, queue of received files and deletions. The
runs share the names in the folders, so no two objects get one name, and the manifest. The observer
gets one call at a time.

An error of one camera ends its run only. What is no camera's error, such as an exception of the
observer, ends all of them, and so does Ctrl-C.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine.errors import LimitReached
from ..ptp.errors import Cancelled, PTPError
from .limits import limited
from .plan.names import Names
from .report.merged import merged
from .report.observer import Observer
from .report.passing import TOLD, Passing
from .report.report import CameraReport, Report, attach
from .run import Run

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..session.session import Session
    from .ending import Guide
    from .keep.manifest import Manifest
    from .plan.options import Options

    Connect = Callable[[Observer], AbstractContextManager[Session]]


class Camera:
    """One camera of a run. connect(observer) opens its session, or has an open one."""

    def __init__(self, name: str, connect: Connect) -> None:
        self.name = name
        self.connect = connect
        self.report: Report | None = None
        self.error: BaseException | None = None
        self.thread: threading.Thread | None = None
        self.done: threading.Event = threading.Event()  # `Thread.join` is not safe from a Ctrl-C


class Several:
    """One run with several cameras."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        options: Options,
        manifest: Manifest | None,
        guide: Guide,
        make_run: Callable[..., Run] = Run,
    ) -> None:
        """make_run: makes the run of one camera, from the arguments of `Run`."""
        self._cameras = cameras
        self._options = options
        self._manifest = manifest
        self._began = time.monotonic()
        self._observer = options.observer or Observer()
        self._names = Names()
        self._turn = threading.RLock()  # of the observer
        self._guide = guide
        self._make_run = make_run
        self._ending = guide.ending

    def run(self) -> Report:
        """Run, and return the report. An error of a camera is raised when all have ended."""
        try:
            for camera in self._cameras:
                self._begin(camera)
            self._wait()
        except BaseException as error:  # Ctrl-C
            self._ending.end()
            self._wait()
            attach(self._report(), error)
            raise
        report = self._report()
        errors = [each.error for each in self._cameras if each.error is not None]
        errors.sort(key=lambda error: isinstance(error, PTPError))  # others concern all
        if errors:
            attach(report, errors[0])
            raise errors[0]
        return report

    def _wait(self) -> None:
        begun = [camera for camera in self._cameras if camera.thread is not None]
        for camera in begun:
            camera.done.wait()
        for camera in begun:
            if camera.thread is not None and camera.thread.is_alive():
                camera.thread.join()

    def _begin(self, camera: Camera) -> None:
        own = self._observer.of_camera(camera.name)
        # What waits for another thread is outside: the other cameras have their turn meanwhile.
        observer = self._guide.observer(OneAtATime(own, self._turn, self._ending.stop), camera.name)
        work, name = partial(self._work, camera, observer), f"ptpfast {camera.name}"
        camera.thread = threading.Thread(target=work, name=name)
        try:
            camera.thread.start()
        except BaseException as error:
            if camera.thread.ident is None:  # no thread will set it
                camera.done.set()
            if (limit := LimitReached.of(error)) is None:
                raise
            camera.error, camera.thread = limit, None

    def _work(self, camera: Camera, observer: Observer) -> None:
        try:
            self._run_one(camera, observer)
        finally:
            camera.done.set()

    def _run_one(self, camera: Camera, observer: Observer) -> None:
        options = replace(self._options, observer=observer)
        try:
            with (
                self._ending.interrupts_pauses(),
                camera.connect(observer) as session,
                self._ending.interrupts(session),
                limited(session, options.bwlimit),
            ):
                run = self._make_run(session, options, self._manifest, self._began, self._names)
                camera.report = run.report
                if options.dry_run:
                    run.plan()
                else:
                    run.go()
        except BaseException as error:  # noqa: BLE001  raised by `run`
            camera.error = error
        if camera.error is not None and not isinstance(camera.error, PTPError):
            self._ending.end()
        try:
            observer.ended(self._report_of(camera), camera.error)
        except BaseException as error:  # noqa: BLE001  raised by `run`
            camera.error = camera.error or error
            self._ending.end()

    def _report(self) -> Report:
        each = [
            CameraReport(camera.name, self._report_of(camera), camera.error)
            for camera in self._cameras
        ]
        return merged(self._new_report(), each)

    def _report_of(self, camera: Camera) -> Report:
        return camera.report or self._new_report()

    def _new_report(self) -> Report:
        options = self._options
        return Report(
            options.destination,
            selection=options.words,
            verify=options.verify,
            algorithm=options.algorithm or "sha256",
        )


class OneAtATime(Passing):
    """Pass the calls of one camera on, while those of the others wait.

    Once the run is to stop, the first call after that raises Cancelled.
    """

    def __init__(self, observer: Observer, turn: threading.RLock, stop: threading.Event) -> None:
        super().__init__(observer)
        self._its_turn = turn
        self._stop = stop
        self._has_stopped = False

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Call the other observer when it is this camera's turn."""
        if name not in TOLD and self._stop.is_set() and not self._has_stopped:
            self._has_stopped = True
            raise Cancelled("stopped")
        with self._its_turn:
            super().passed(name, *given, **named)
