"""The command line: one file a command, and what they share.

`main` finds commands and turns every error into a line and an exit status; `options` is
what they accept, `output` what they print, `progress` what is shown during a run, `failure` has the
statuses.
"""
