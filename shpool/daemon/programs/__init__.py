"""From what was asked for to a process on a pty."""
