"""Store the pictures of a camera in a bucket, without a copy on this computer.

    python examples/to_object_store.py 192.168.1.1 s3://bucket/today

Needs s3fs for `s3://`; other URLs of fsspec work, too. Credentials are those of the AWS tools.
"""

import sys
from collections.abc import Iterator
from typing import Any

import ptpfast


def stored(address: str, url: str, **storage_options: Any) -> Iterator[str]:
    """Yield the URL of each file as soon as the bucket has it and its checksum is right."""
    with ptpfast.pull_iter(
        address, url, formats="all", verify="hash", storage_options=storage_options
    ) as results:
        for result in results:
            if result.status == "failed":
                print(f"{result.handle:#x}: {result.reason}", file=sys.stderr)
            else:
                yield str(result.path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for place in stored(*sys.argv[1:]):
        print(place)
