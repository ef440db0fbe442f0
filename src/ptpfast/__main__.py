"""`ptpfast` and `python -m ptpfast`. Light: nothing of the engine is imported before it is
needed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line with the process's arguments, and end the process."""
    try:
        import click  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write("ptpfast: the command line needs more: pip install 'ptpfast[cli]'\n")
        sys.exit(2)
    from .cli.main import ptpfast

    ptpfast.main()


if __name__ == "__main__":
    main()
