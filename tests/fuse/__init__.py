"""A folder with odd manners: a FUSE filesystem that the pull tests run on. Needs no library."""
