"""The download of a rig: a task for each camera, submitted again if its worker is lost."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..link.patience import Patience
from ..ptp.arguments import callback
from ..ptp.errors import ConnectFailed
from .draining import TOPIC, CameraResult, drain
from .rig import Camera, Rig

if TYPE_CHECKING:
    from distributed import Client, Future

log: logging.Logger = logging.getLogger("ptpfast")

SCHEDULER_S = 60.0  # how long a lost scheduler is waited for
MOST_TRIES = 10  # workers that one camera's task may lose, with the scheduler's own retries

# What a camera's task tells: its name, state, files, of_files, bytes, of_bytes.
Told = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True)
class RigReport:
    """The result of a rig's download.

    Attributes:
        cameras: a result for each camera, in the order of the rig.
    """

    cameras: Sequence[CameraResult]

    @property
    def ok(self) -> bool:
        """Whether every selected file of every camera is at its destination."""
        return all(camera.ok for camera in self.cameras)

    @property
    def bytes(self) -> int:
        """Bytes received in the last run of each camera."""
        return sum(camera.bytes for camera in self.cameras)

    @property
    def downloaded(self) -> int:
        """Files downloaded in the last run of each camera."""
        return sum(camera.downloaded for camera in self.cameras)

    @property
    def failed(self) -> int:
        """Files that failed."""
        return sum(camera.failed for camera in self.cameras)


def pull(
    scheduler: str | Client,
    rig: Rig,
    destination: str | os.PathLike[str],
    *,
    told: Told | None = None,
) -> RigReport:
    """Download the cameras of a rig, each on a worker that can reach it.

    The bytes go from a worker to the destination, never through the scheduler. If a worker is lost,
    another one goes on from what is stored. So all workers must see the same destination.

    Args:
        scheduler: the address of a dask scheduler, such as `tcp://10.0.0.1:8786`, or a client.
        rig: the cameras.
        destination: a folder that every worker sees, or a URL, as in `ptpfast.pull`. Each camera
            has a folder in it, with its name.
        told: called with a camera's numbers a few times a second, in a thread of the client.

    Returns:
        A result for each camera. A camera that failed does not end the others.

    Raises:
        ConnectFailed: no scheduler answers, for a minute.
        ImportError: the extra `cluster` is not installed.

    Example:
        rig = cluster.Rig([cluster.Camera("192.168.1.1", "left"), cluster.Camera("192.168.1.2")])
        report = cluster.pull("tcp://10.0.0.1:8786", rig, "/nas/today")
    """
    callback("told", told)
    return _Run(scheduler, rig, os.fspath(destination), told).go()


class _Run:
    def __init__(
        self, scheduler: str | Client, rig: Rig, destination: str, told: Told | None
    ) -> None:
        self._scheduler = scheduler
        self._rig = rig
        self._destination = destination
        self._told = told
        self._id = f"ptpfast-{secrets.token_hex(8)}"
        self._tries = dict.fromkeys((camera.name for camera in rig.cameras), 0)
        self._results: dict[str, CameraResult] = {}
        self._patience = Patience(SCHEDULER_S, first_s=0.5, most_s=5.0)

    def go(self) -> RigReport:
        """Submit the cameras that have no result yet, until all have one."""
        while left := [each for each in self._rig.cameras if each.name not in self._results]:
            before = len(self._results)
            try:
                with self._client() as client:
                    self._round(client, left)
            except (OSError, TimeoutError) as error:
                log.warning("no scheduler at %s: waiting for it", self._scheduler)
                self._wait(error)
                continue
            if lost := sum(camera.name not in self._results for camera in left):
                log.warning("the scheduler or workers of %d cameras are lost: trying again", lost)
            if len(self._results) > before:
                self._patience.reset()
            else:  # all tasks were lost with the scheduler or their workers
                self._wait(ConnectionError("every task was lost"))
        return RigReport([self._results[camera.name] for camera in self._rig.cameras])

    def _wait(self, error: BaseException) -> None:
        failed = ConnectFailed(f"no dask scheduler answers at {self._scheduler}")
        failed.hint = "start it with: dask scheduler"
        failed.__cause__ = error
        self._patience.wait(failed)

    @contextmanager
    def _client(self) -> Iterator[Client]:
        from distributed import Client

        if isinstance(self._scheduler, Client):
            yield self._scheduler
            return
        with Client(self._scheduler, timeout=10, set_as_default=False) as client:
            yield client

    def _round(self, client: Client, cameras: Sequence[Camera]) -> None:
        """Take the results of all tasks; what was lost has none afterwards."""
        from distributed import Event, as_completed

        if self._told is not None:
            client.subscribe_topic(TOPIC, self._heard)
        stop = Event(self._id, client=client)
        names = {self._submit(client, camera): camera.name for camera in cameras}
        try:
            for future in as_completed(list(names), loop=client.loop):
                self._take(future, names[future])
        except KeyboardInterrupt:
            stop.set()
            raise
        finally:
            if self._told is not None:
                client.unsubscribe_topic(TOPIC)

    def _submit(self, client: Client, camera: Camera) -> Future:
        name = camera.name
        self._tries[name] += 1
        return client.submit(
            drain,
            name,
            camera.address,
            os.path.join(self._destination, name),
            dict(self._rig.options),
            self._id,
            key=f"{self._id}-{name}-{self._tries[name]}",
            pure=False,
            resources=None if camera.resource is None else {camera.resource: 1},
        )

    def _take(self, future: Future, name: str) -> None:
        """Keep a task's result, or why it has none."""
        from distributed import KilledWorker

        try:
            self._results[name] = future.result()
            return
        except CancelledError:  # a result on a lost worker, or the scheduler is lost
            pass
        except Exception as error:
            if future.status != "error":  # of the connection to the scheduler, not of the task
                raise
            if not isinstance(error, KilledWorker) or self._tries[name] >= MOST_TRIES:
                self._results[name] = CameraResult(name, error=f"{type(error).__name__}: {error}")
                return
        log.info("%s is given to another worker", name)

    def _heard(self, event: Any) -> None:
        """Pass on what a worker has told: (time, message)."""
        if self._told is not None:
            self._told(event[1])
