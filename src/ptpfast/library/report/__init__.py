"""What came of a run, and who is told while it goes on."""
