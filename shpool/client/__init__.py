"""The commands: what runs in the terminal of a user, and what asks the daemon."""
