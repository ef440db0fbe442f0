"""The plan of a run: which objects, under which names, in which folders, into which room."""
