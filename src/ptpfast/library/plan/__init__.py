"""What a run is to do: which objects, under which names, in which folders, into which room."""
