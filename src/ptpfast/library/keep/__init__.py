"""The steps after a file is complete: its checksum, its copies, its deletion on the camera."""
