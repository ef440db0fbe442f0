"""A session with a camera, and capture."""
