"""The command line: one file a command, and what they share.

`main` finds commands and turns whatever goes wrong into a line and an exit status; `options` is
what they accept, `output` what they print, `progress` what is seen meanwhile, `failure` has the
statuses.
"""
