"""Descriptors, deadlines and bytes; nothing of shells, sessions or clients."""
