"""The wire, without I/O: bytes in, messages out, and back."""
