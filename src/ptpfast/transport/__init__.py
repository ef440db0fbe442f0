"""How a connection to a camera is made, and how one transaction travels on it."""
