"""Persistent shell sessions without a terminal multiplexer."""

__version__ = "0.1.0"
