"""Sony."""
