"""The compiled core, and what it needs: the only code that touches payload bytes."""
