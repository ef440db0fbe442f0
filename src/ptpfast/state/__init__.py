"""Data that outlives a run: the index of objects, the catalog of downloads, tunings and chunk
sizes."""
