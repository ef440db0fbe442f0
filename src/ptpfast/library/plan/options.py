"""The options of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from ...link.limiting import RateLimit
from ...ownership.names import MANIFEST_NAME, is_ours_for_another_use
from ...ptp.arguments import choice, folders, path_of, switches, whole
from ...ptp.objects import LARGEST_OBJECT
from ...ptp.sizes import LONGEST_S
from ...transfer import VERIFY, DownloadOptions, Verify
from ...transfer.hashing import ALGORITHMS, Algorithm, new_hash
from ...transfer.options import BYTES
from ..report.observer import Observer
from .news import News
from .planning import ON_CONFLICT, OnConflict
from .selection import Selection
from .template import Template, read_template

TWO_LAYOUTS = "template: one with folders (/) cannot be combined with keep_folders; use one"
NAME_NEEDS_HISTORY = (
    "template: with {seq}, or without {name} and {number}, files are known again by the history "
    "only: add {name}, or leave history=False out"
)
MARKED = "marked on the camera"
RETRY = 8  # about a minute of pauses
NEEDS_SHA256 = "manifest, copies and delete_verified need SHA-256: leave algorithm out"
_SWITCHES = ("dry_run", "resume", "delete_verified", "new", "history", "keep_folders", "marked")
NO_OVERWRITE = (
    "on_conflict='overwrite' cannot be combined with delete_verified: "
    "the replaced file may be the only copy of a deleted picture"
)


@dataclass(frozen=True)
class Options:
    """What a run was asked for. `verify` is raised to what the other options imply."""

    destination: Path
    selection: Selection
    on_conflict: OnConflict = "rename"
    verify: Verify = "size"
    algorithm: Algorithm | None = None
    manifest: Path | None = None
    dry_run: bool = False
    chunk: int | None = None
    resume: bool = True
    observer: Observer | None = None
    retry: int | None = RETRY
    copies: tuple[Path, ...] = ()
    delete_verified: bool = False
    new: bool = False
    history: bool = True
    keep_folders: bool = False
    marked: bool = False
    template: Template | None = None
    news: News | None = None  # of `watch`
    storage_options: Mapping[str, Any] | None = None
    bwlimit: RateLimit | None = None
    max_duration: float | None = None

    @classmethod
    def of(cls, destination: Path, given: Mapping[str, Any]) -> Self:
        """Read the options of `PullOptions` that are given, and leave the others at their defaults.
        TypeError, ValueError."""
        own = given_of(cls, given)
        switches(**{name: value for name, value in own.items() if name in _SWITCHES})
        if own.get("template") is not None:
            own["template"] = read_template(own["template"])
        if "copies" in own:
            own["copies"] = folders("copies", own["copies"])
        own["bwlimit"] = RateLimit.of(own.get("bwlimit"))
        selection = Selection(**given_of(Selection, given))
        if "manifest" in own:
            own["manifest"] = _manifest(own["manifest"], destination)
        return cls(destination, selection, **own)

    @property
    def words(self) -> str:
        """What narrows the selected objects, for people; '' when nothing does."""
        return ", ".join(filter(None, [self.selection.words, MARKED if self.marked else ""]))

    def __post_init__(self) -> None:
        choice("on_conflict", self.on_conflict, ON_CONFLICT)
        choice("verify", self.verify, VERIFY)
        if self.algorithm is not None:
            choice("algorithm", self.algorithm, ALGORITHMS)
        if self.chunk is not None:
            whole("chunk", self.chunk, BYTES, 0, LARGEST_OBJECT)
        if self.retry is not None:
            whole("retry", self.retry, "a number of tries, or None for no limit", 0)
        if self.max_duration is not None:
            check_duration(self.max_duration)
        _check_observer(self.observer)
        least = self._least_verification()
        if self.verify in VERIFY[: VERIFY.index(least)]:
            object.__setattr__(self, "verify", least)
        if self.delete_verified and self.on_conflict == "overwrite":
            # An emptied card counts from the beginning again: the file in the way of a new picture
            # is an earlier one's, and all there is of it.
            raise ValueError(NO_OVERWRITE)
        if self.new and not self.history:
            raise ValueError("new needs the history: leave history=False out")
        if self.template is not None:
            self._check_template(self.template)
        if self.algorithm is not None:
            new_hash(self.algorithm)  # if it can be had

    def _check_template(self, template: Template) -> None:
        """Raise ValueError if the template does not go together with the other options."""
        if self.keep_folders and template.folders:
            raise ValueError(TWO_LAYOUTS)
        if template.needs_history and not self.history:
            raise ValueError(NAME_NEEDS_HISTORY)

    def _least_verification(self) -> Verify:
        """Return the verification that the other options imply. ValueError."""
        if self.delete_verified or self.manifest or self.copies:
            if self.algorithm not in (None, "sha256"):
                raise ValueError(NEEDS_SHA256)
            return "disk" if self.delete_verified else "hash"
        return "hash" if self.algorithm else "size"

    def of_download(self, *, overwrite: bool) -> DownloadOptions:
        """Return what that says of the download of one object."""
        return DownloadOptions(
            resume=self.resume,
            verify=self.verify,
            algorithm=self.algorithm,
            chunk=self.chunk,
            overwrite=overwrite,
            prove_end=self.delete_verified,
        )


def check_duration(seconds: Any) -> None:
    """TypeError, ValueError for what is no number of seconds above 0."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"max_duration takes a number of seconds, not {seconds!r:.60}")
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"max_duration takes seconds above 0, at most a year, not {seconds!r}")


def given_of(kind: type[Options | Selection], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given options that are fields of a dataclass."""
    return {row.name: given[row.name] for row in fields(kind) if row.name in given}


def _check_observer(observer: Any) -> None:
    """TypeError for what lacks a method of `Observer`: the run would end at its first call."""
    if observer is None or (isinstance(observer, Observer) and not isinstance(observer, type)):
        return
    names = (name for name in vars(Observer) if not name.startswith("_"))
    missing = [name for name in names if not callable(getattr(observer, name, None))]
    if isinstance(observer, type) or missing:
        lacks = f"; it has no method {missing[0]}" if missing else ""
        raise TypeError(f"observer takes a ptpfast.Observer, not {observer!r:.60}{lacks}")


def _manifest(wanted: Any, destination: Path) -> Path | None:
    """Return the path of the manifest. ValueError for the name of another file of ptpfast's."""
    if wanted is None or wanted is False:
        return None
    if wanted is True:
        return destination / MANIFEST_NAME
    file = path_of("manifest", wanted)
    if is_ours_for_another_use(file.name):
        raise ValueError(f"manifest cannot be {file}: ptpfast gives that name to another file")
    return file
