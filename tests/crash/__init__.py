"""What a killed process, a full disk and a power cut leave, at every call that changes a folder."""
