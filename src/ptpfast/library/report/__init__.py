"""The results of a run, and its observer."""
