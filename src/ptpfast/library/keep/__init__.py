"""What becomes of a file that is here: its checksum, its copies, its deletion on the camera."""
