"""One camera, one transaction at a time: operations, requests ahead, events, lifecycle."""
