"""A user with a shell and start-up files of their own, whose daemon runs."""

from tests.e2e.harness import Place
from tests.e2e.window import Window
from tests.programs import need


def start_as_user(place: Place, shell: str, files: dict[str, str], configuration: str) -> None:
    """`files` maps paths below the home directory to contents; there are no others."""
    for name in (".profile", ".bashrc"):
        (place.home / name).unlink()
    for name, text in files.items():
        path = place.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    marked = "" if "shell_integration" in configuration else "shell_integration = true\n"
    place.configure(
        f'shell = "{need(shell)}"\n{marked}{configuration}',
        env={
            "XDG_CONFIG_HOME": f"{place.home}/.config",
            "XDG_DATA_HOME": f"{place.home}/.data",
            "XDG_RUNTIME_DIR": str(place.scratch),  # where fish leaves a pipe
        },
    )
    place.start()


def at_prompt(window: Window, prompt: str) -> None:
    """Wait until the cursor stands behind `prompt`, and nothing else is in its line."""
    window.until(lambda: window.cursor_line() == prompt.rstrip(), f"the prompt {prompt!r}")
