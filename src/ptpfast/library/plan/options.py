"""What a run was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...transfer import VERIFY, DownloadOptions
from ...transfer.hashing import new_hash
from .planning import ON_CONFLICT
from .selection import Selection

NO_OVERWRITE = (
    "on_conflict='overwrite' does not go with delete_verified: "
    "the file that is replaced may be all that is left of a deleted picture"
)


@dataclass(frozen=True)
class Options:
    """What a run was asked for."""

    destination: Path
    selection: Selection
    on_conflict: str
    verify: str
    algorithm: str | None
    chunk: int | None
    resume: bool
    retry: int | None
    copies: tuple[Path, ...] = ()
    delete_verified: bool = False
    manifest: Path | None = None

    def __post_init__(self) -> None:
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
        if self.algorithm is not None:
            new_hash(self.algorithm)  # if it can be had

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
