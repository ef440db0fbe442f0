"""A session with a camera, and taking pictures in it."""
