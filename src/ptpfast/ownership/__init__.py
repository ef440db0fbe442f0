"""The ownership rule: which files on a disk ptpfast may change.

`names` lists every name that the package gives to a file beside a user's. `files` and `folders`
have the operations that create, remove, cut, rename or replace. They touch a file only if this
process made it, or if it is proven to be ptpfast's. The proof is its content, its kind (a regular
file, never a link) and its owner. `followed` reads the one file that may be a link, the settings.
tests/ownership/test_ownership_source.py finds every such call
elsewhere.
"""
