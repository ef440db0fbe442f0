"""The compiled core and its helpers: the only code that touches payload bytes."""
