"""What a run was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ...ownership.names import MANIFEST_NAME, is_ours_for_another_use
from ...ptp.arguments import folders, path, switches
from ...transfer import VERIFY, DownloadOptions
from ...transfer.hashing import new_hash
from .planning import ON_CONFLICT
from .selection import Selection

if TYPE_CHECKING:
    from ..report.observer import Observer

RETRY = 8  # about a minute of pauses
NEEDS_SHA256 = "manifest, copies and delete_verified compare by SHA-256: no other algorithm"
_SWITCHES = ("dry_run", "resume", "delete_verified", "new", "history")
NO_OVERWRITE = (
    "on_conflict='overwrite' does not go with delete_verified: "
    "the file that is replaced may be all that is left of a deleted picture"
)


@dataclass(frozen=True)
class Options:
    """What a run was asked for. `verify` is raised to what the other options imply."""

    destination: Path
    selection: Selection
    on_conflict: str = "rename"
    verify: str = "size"
    algorithm: str | None = None
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

    @classmethod
    def of(cls, destination: Path, given: Mapping[str, Any]) -> Self:
        """Read the options of `PullOptions` that are given, and leave the others at their defaults.
        TypeError, ValueError."""
        own = given_of(cls, given)
        switches(**{name: value for name, value in own.items() if name in _SWITCHES})
        if "copies" in own:
            own["copies"] = folders("copies", own["copies"])
        selection = Selection(**given_of(Selection, given))
        if "manifest" in own:
            own["manifest"] = _manifest(own["manifest"], destination)
        return cls(destination, selection, **own)

    def __post_init__(self) -> None:
        least = self._least_verification()
        if self.verify in VERIFY[: VERIFY.index(least)]:
            object.__setattr__(self, "verify", least)
        for name, value, allowed in (
            ("on_conflict", self.on_conflict, ON_CONFLICT),
            ("verify", self.verify, VERIFY),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
        if self.delete_verified and self.on_conflict == "overwrite":
            # An emptied card counts from the beginning again: the file in the way of a new picture
            # is an earlier one's, and all there is of it.
            raise ValueError(NO_OVERWRITE)
        if self.new and not self.history:
            raise ValueError("new needs the history: leave history=False out")
        if self.algorithm is not None:
            new_hash(self.algorithm)  # if it can be had

    def _least_verification(self) -> str:
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


def given_of(kind: type[Options | Selection], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given options that are fields of a dataclass."""
    return {row.name: given[row.name] for row in fields(kind) if row.name in given}


def _manifest(wanted: Any, destination: Path) -> Path | None:
    """Return the path of the manifest. ValueError for the name of another file of ptpfast's."""
    if wanted is None or wanted is False:
        return None
    if wanted is True:
        return destination / MANIFEST_NAME
    file = path("manifest", wanted)
    if is_ours_for_another_use(file.name):
        raise ValueError(f"manifest cannot be {file}: ptpfast gives that name to another file")
    return file
