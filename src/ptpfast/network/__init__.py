"""The operating system's view of the network: interfaces, radio, routes, and TCP's own counts.

It knows nothing of cameras. Most of it is Linux's; elsewhere less is known, and nothing is guessed.
"""
