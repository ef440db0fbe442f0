"""PTP's codes, datasets, objects and errors."""
