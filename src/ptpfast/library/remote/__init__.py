"""Destinations on another computer: folders of an fsspec filesystem, such as `s3://bucket/folder`.

place       URLs, and paths whose text is a URL
opening     the filesystem of a URL, and the packages that it needs
failures    what an error of a filesystem concerns
target      one destination: list, write, move, read back, delete
upload      one file on its way there, written by a thread
sending     one object from the camera into an upload, checked at both ends
folder      its files, and the names that objects get
deletion    deletions on the camera after a proof there

`library.remote_run` has the run. Nothing of this is loaded for a folder of this computer.
"""
