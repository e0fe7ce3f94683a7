"""The terminal model, without I/O: bytes in, state; restore bytes out."""
