"""The project's benchmarks: `python -m bench`. What each one answers stands in README.md."""
