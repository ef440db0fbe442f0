"""What the package may touch on a disk: one list of names, and one rule of ownership.

`names` lists every name that the package gives to a file beside a user's. `files` and `folders`
hold the operations that create, remove, cut, rename or replace. They keep one rule: nothing is
touched that this process did not make, or whose content, kind (a regular file, never through a
link) and owner do not prove that it is ours. tests/ownership/test_ownership_source.py finds every
such call elsewhere.
"""
