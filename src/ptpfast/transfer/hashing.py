"""Digests of received bytes, with their kind: `sha256:…` or `xxh3:…`, in hex.

sha256  for manifests and `sha256sum`
xxh3    XXH3 with 128 bits, from the package xxhash: as safe against accidents and much faster, but
        not safe against forged files

A third kind, `fast:…`, is used only in the notes beside part files: the checksum that the
`FileSink` of every download computes (`sink.Checksum`).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

Algorithm = Literal["sha256", "xxh3"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


def new_hash(algorithm: str) -> Any:
    """Return a new hash object. ValueError for an unknown algorithm or a missing package."""
    # Not before they are needed: either would be a good part of `import ptpfast`.
    if algorithm == "sha256":
        import hashlib

        return hashlib.sha256()
    if algorithm != "xxh3":
        raise ValueError(f"algorithm is one of {', '.join(ALGORITHMS)}, not {algorithm!r}")
    try:
        import xxhash
    except ImportError:
        raise ValueError("xxh3 needs the package xxhash: pip install xxhash") from None
    return xxhash.xxh3_128()


def digest_of(hasher: Any) -> str:
    """Return the digest of a hash object."""
    return f"{_kind(hasher)}:{hasher.hexdigest()}"


def _kind(hasher: Any) -> str:
    return hasher.name if hasher.name in ("sha256", "fast") else "xxh3"


def algorithm_of(digest: str) -> str:
    """Return the algorithm of a digest."""
    return digest.partition(":")[0]


def hex_of(digest: str | None, algorithm: str) -> str | None:
    """Return the hex digits of a digest; None if it is of another algorithm, or None."""
    kind, _, digits = (digest or "").partition(":")
    return digits if kind == algorithm else None
