"""What a program that embeds the daemon can be told; see run() in daemon/server.py."""


class Hooks:
    """Called on the loop with a session's name, so each must return soon.

    An exception in one is logged and changes nothing.
    """

    def on_new_session(self, name: str) -> None:
        """A session was created."""

    def on_reattach(self, name: str) -> None:
        """An existing session is being attached to."""

    def on_busy(self, name: str) -> None:
        """An attach was refused because somebody else is attached."""

    def on_client_disconnect(self, name: str) -> None:
        """A client is no longer attached; its session goes on."""

    def on_shell_disconnect(self, name: str) -> None:
        """A session's shell has ended, and the session with it."""
