"""Pieces of work inside one process: timed by pytest-benchmark, counted by callgrind."""
