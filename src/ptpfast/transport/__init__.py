"""Transports: open a connection to a camera, and carry transactions."""
