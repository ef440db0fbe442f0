"""The kinds of faults, a module for each stage; `faults.KINDS` has them all.

At a module's head stands what its effects may change.
"""
