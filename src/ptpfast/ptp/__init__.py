"""What PTP says: codes, datasets, objects, and the errors that have them."""
