"""What outlives a run: the index of objects and the tunings."""
