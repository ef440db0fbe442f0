"""The kinds of faults, a module for each stage; `faults.KINDS` has them all.

Each module begins with the class that its effects may change.
"""
