"""How an object is downloaded, checked before the camera is asked."""

from __future__ import annotations

from dataclasses import dataclass

from ..ptp.arguments import choice, switches, whole
from ..ptp.objects import LARGEST_OBJECT
from .hashing import ALGORITHMS, Algorithm, new_hash
from .verify import VERIFY, Verify

BYTES = "a number of bytes, such as 1_000_000 (0: whole objects)"


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """The options of `Session.download`, which explains each of them.

    Attributes:
        prove_end: Read behind the end of any object, as for movies, and take the true size.
    """

    resume: bool = True
    verify: Verify = "size"
    algorithm: Algorithm | None = None
    chunk: int | None = None
    overwrite: bool = False
    prove_end: bool = False

    def __post_init__(self) -> None:
        choice("verify", self.verify, VERIFY)
        if self.algorithm is not None:
            choice("algorithm", self.algorithm, ALGORITHMS)
            new_hash(self.algorithm)  # before the camera is asked
        switches(resume=self.resume, overwrite=self.overwrite)
        if self.chunk is not None:
            chunk = whole("chunk", self.chunk, BYTES, 0, LARGEST_OBJECT)
            object.__setattr__(self, "chunk", chunk)

    @property
    def level(self) -> Verify:
        """Which of `verify.VERIFY` is done: an algorithm implies at least `hash`."""
        is_raised = self.algorithm is not None and self.verify == "size"
        return "hash" if is_raised else self.verify

    @property
    def hash(self) -> str | None:
        """The algorithm of the digest that is taken; None for none."""
        return None if self.level == "size" else self.algorithm or "sha256"
