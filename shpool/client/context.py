"""What the words before the command said, worked out once for whichever command follows."""

import os

from shpool.paths import Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from shpool.config import Config
    from shpool.options import Parsed


class Context:
    """Paths are absolute, since commands may change directory.  Raises PathsError."""

    def __init__(self, given: "Parsed", environ: "Mapping[str, str]") -> None:
        self.environ = environ
        self.paths = Paths(environ, given.text("socket"))
        self.config_file = _absolute(given.text("config-file"))
        self.log_file = _absolute(given.text("log-file"))
        self.verbose = given.count("verbose")
        self.daemonize = bool(given.count("daemonize"))
        self.no_daemonize = bool(given.count("no-daemonize"))
        self._config: Config | None = None

    def config_files(self) -> "list[str]":
        """The configuration files to read."""
        from shpool.config import config_paths

        return config_paths(self.config_file, self.environ)

    def config(self) -> "Config":
        """The configuration, read when it is first asked for.  Raises ConfigError."""
        if self._config is None:
            from shpool import logs
            from shpool.config import load

            self._config, warnings = load(self.config_files())
            for warning in warnings:
                logs.warn(warning)
        return self._config


def _absolute(path: "str | None") -> "str | None":
    return os.path.abspath(path) if path else None
