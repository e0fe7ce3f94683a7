"""What sets title, colours, modes and the like: whatever a session has beside its screens."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties


def private(mode: int, on: bool) -> str:
    """One private mode, alone: several terminals drop a sequence for one unknown number in it."""
    return f"\x1b[?{mode}{'h' if on else 'l'}"


def titles(terminal: "Properties") -> str:
    """Icon name and title, if there are any."""
    made = f"\x1b]1;{terminal.icon}\x1b\\" if terminal.icon is not None else ""
    return made + (f"\x1b]2;{terminal.title}\x1b\\" if terminal.title is not None else "")


def colours(terminal: "Properties") -> str:
    """The palette, and the dynamic colours."""
    made = ["\x1b]104\x1b\\"] if terminal.palette_reset else []
    for index, colour in terminal.palette.items():
        made.append(f"\x1b]4;{index};{colour}\x1b\\" if colour else f"\x1b]104;{index}\x1b\\")
    for command, colour in terminal.dynamic.items():
        made.append(f"\x1b]{command};{colour}\x1b\\" if colour else f"\x1b]{command + 100}\x1b\\")
    return "".join(made)


def environment(terminal: "Properties") -> str:
    """Directory, pointer and progress."""
    made = []
    if terminal.directory is not None:
        made.append(f"\x1b]7;{terminal.directory}\x1b\\")
    if terminal.pointer is not None:
        made.append(f"\x1b]22;{terminal.pointer}\x1b\\")
    if terminal.progress is not None:
        made.append(f"\x1b]9;{terminal.progress}\x1b\\")
    return "".join(made)


def cursor_shape(terminal: "Properties") -> str:
    return f"\x1b[{terminal.shape} q" if terminal.shape is not None else ""


def key_resources(terminal: "Properties") -> str:
    """XTMODKEYS."""
    made = []
    for resource, value in terminal.modify.items():
        if value is None:
            made.append(f"\x1b[>{resource}m")
        else:
            made.append(f"\x1b[>{resource}n" if value < 0 else f"\x1b[>{resource};{value}m")
    return "".join(made)


def properties(terminal: "Properties") -> str:
    """Everything of properties.py but the titles, as far as the session touched it."""
    return (
        environment(terminal) + colours(terminal) + cursor_shape(terminal) + key_resources(terminal)
    )
