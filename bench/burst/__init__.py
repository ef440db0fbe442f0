"""How long each shot of a burst takes to the disk, on every body; `__main__` says how."""
