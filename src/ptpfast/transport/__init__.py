"""How a connection to a camera is made."""
