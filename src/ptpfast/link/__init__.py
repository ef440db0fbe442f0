"""The link to one camera: operations, pipelined requests, events, lifecycle."""
