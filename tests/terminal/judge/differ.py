"""Two dumps of a judge compared, and the first difference put into words.

What is deliberately treated as equal stands here and nowhere else:

- A cell that was never printed and a printed space, in the last column of a row that wraps or is
  about to: printing is what makes a terminal wrap. Elsewhere they differ, as they do in a reflow.
- The wrap marks of the alternate screen: no terminal reflows it.
- Margins and tab stops of the screen not in use: this judge keeps one set for each screen, xterm
  and the model one set for the terminal.
- The id of a hyperlink that the program gave none: a restore invents one.
- A two-valued mode that was switched off and one that was never touched.
- What the charset in use was designated to: DECRC there brings back the set in use without putting
  it into G0 to G3. The set in use itself is compared.
- The wrap mark of the first row when the row before it is not there: nothing can bring it back.
- A synchronized update that was on: a restore never leaves it on.
- Entries of the title stacks below those of the session: they are the user's own.
- Bells, answers to queries and the length of the scrollback: tests look at them by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

State = dict[str, Any]
Cell = tuple[str, int, dict[str, Any]]  # cluster, columns (0 in the right half), attributes

# Modes whose default is the user's own: off is not the same as never set.
THREE_VALUED = {"1007", "1034", "1035", "1036", "1037", "1039"}

SCREENS = ("main screen", "alternate screen")
STATE_KEYS = (
    "modes",
    "noted",
    "otherKeys",
    "charsets",
    "title",
    "icon",
    "titles",
    "icons",
    "colours",
    "directory",
    "parser",
    "unfinishedBytes",
    "repeats",
)


def cells(row: Any, table: list[dict[str, Any]]) -> Iterator[Cell]:
    """The cells of a dumped row, from its runs."""
    for number, width, text in row[1]:
        for cluster in text:
            yield cluster, width, table[number]


def row_text(row: Any) -> str:
    """A dumped row as plain text, the blank tail cut off."""
    return _printed(row).replace("\0", " ").rstrip()


def _printed(row: Any) -> str:
    """A dumped row with NUL where nothing was ever printed."""
    return "".join(c for _, _, text in row[1] for c in text)


def screen_text(state: State) -> list[str]:
    """The screen in use as plain text."""
    return [row_text(row) for row in state["screens"][state["alternate"]]["lines"]]


def history_text(state: State) -> list[str]:
    """The scrollback of the main screen, wrapped rows joined."""
    return joined(state["screens"][0]["history"])


def joined(rows: list[Any]) -> list[str]:
    """Dumped rows as plain text, each that goes on with the row before it joined to that."""
    lines: list[str] = []
    for row in rows:
        text = _printed(row)
        if row[0] and lines:
            # All of a row that wraps was printed, but for the room that a wide character lacked.
            lines[-1] = lines[-1].rstrip("\0") + text
        else:
            lines.append(text)
    return [line.replace("\0", " ").rstrip() for line in lines]


def difference(expected: State, seen: State, *, ignore: frozenset[str] = frozenset()) -> str:
    """The first difference in words, or an empty string.

    `ignore` names what a caller leaves out, and why it does so is the caller's to say: keys of the
    state ("repeats"), of a screen ("saved", "tabs", "wraps", and "tails" for the look of what
    follows a row's last character), or "main" for the whole main screen while the alternate one
    is in use.
    """
    for key in ("rows", "cols", "alternate"):
        if expected[key] != seen[key]:
            return f"{key}: expected {expected[key]}, seen {seen[key]}"
    both = expected["alternate"]
    for index in (1, 0) if both else (0,):
        if index == 0 and both and "main" in ignore:
            continue
        one, two = expected["screens"][index], seen["screens"][index]
        told = _rows(expected, seen, index, ignore)
        if not told:
            told = _screen_state(one, two, index == expected["alternate"], ignore)
        if told:
            return f"{SCREENS[index]}, {told}"
    if expected["cursor"] != seen["cursor"] and "cursor" not in ignore:
        return f"cursor: {_keys(expected['cursor'], seen['cursor'])}"
    if not same_pen(expected["pen"], seen["pen"]) and "pen" not in ignore:
        return f"pen: expected {expected['pen']}, seen {seen['pen']}"
    for key in STATE_KEYS:
        if key in ignore:
            continue
        one, two = _plain(key, expected[key]), _plain(key, seen[key])
        if key in ("titles", "icons"):
            two = two[max(len(two) - len(one), 0) :]
        if key == "modes" and one["synchronized"]:
            one, two = {**one, "synchronized": False}, {**two, "synchronized": False}
        if one != two:
            if isinstance(one, dict):
                return f"{key}: {_keys(one, two)}"
            return f"{key}: expected {one!r}, seen {two!r}"
    return ""


def same_pen(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two sets of attributes agree, an invented id of a hyperlink aside."""
    if one == two:
        return True
    link, other = one.get("link"), two.get("link")
    if not link or not other or link[0] != other[0] or link[1] is not None:
        return False
    return {**one, "link": None} == {**two, "link": None}


def _plain(key: str, value: Any) -> Any:
    if key == "noted":
        return {mode: on for mode, on in value.items() if on or mode in THREE_VALUED}
    if key == "charsets":
        sets = [name for n, name in enumerate(value["sets"]) if n != value["shift"]]
        return {**value, "sets": sets}
    return value


def _keys(one: dict[str, Any], two: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} expected {one.get(key)!r}, seen {two.get(key)!r}"
        for key in sorted({*one, *two})
        if one.get(key) != two.get(key)
    )


def _rows(expected: State, seen: State, index: int, ignore: frozenset[str]) -> str:
    one, two = expected["screens"][index], seen["screens"][index]
    tables = expected["attributes"], seen["attributes"]
    for part in ("history", "lines"):
        if len(one[part]) != len(two[part]):
            return f"rows of {part}: expected {len(one[part])}, seen {len(two[part])}"
        for y, (row, other) in enumerate(zip(one[part], two[part])):
            if row == other and tables[0] == tables[1]:
                continue
            where = f"row {y}" if part == "lines" else f"row {y} of the scrollback"
            wraps = any(following[0] for following in one[part][y + 1 : y + 2]) or _waits(
                expected, y
            )
            told = _cells(row, other, tables, wraps, "tails" not in ignore)
            if told:
                return f"{where}, {told}"
            first = y == 0 and (part == "history" or not one["history"])
            if index == 0 and row[0] != other[0] and not first and "wraps" not in ignore:
                return f"{where}: wrapped expected {bool(row[0])}, seen {bool(other[0])}"
    return ""


def _waits(state: State, y: int) -> bool:
    """Whether the cursor waits behind the last column of this row."""
    return bool(state["cursor"]["pendingWrap"]) and state["cursor"]["y"] == y


def _cells(row: Any, other: Any, tables: tuple[Any, Any], wraps: bool, tails: bool) -> str:
    pairs = list(zip(cells(row, tables[0]), cells(other, tables[1])))
    while not tails and pairs and not (pairs[-1][0][0] + pairs[-1][1][0]).strip("\0 "):
        pairs.pop()
    for x, ((cluster, width, look), (cluster2, width2, look2)) in enumerate(pairs):
        if wraps and x == len(pairs) - 1:
            cluster, cluster2 = cluster.replace("\0", " "), cluster2.replace("\0", " ")
        if (cluster, width) != (cluster2, width2) or not same_pen(look, look2):
            return f"column {x}: expected {_cell(cluster, width, look)}, seen " + _cell(
                cluster2, width2, look2
            )
    return ""


def _cell(cluster: str, width: int, look: dict[str, Any]) -> str:
    attributes = ", ".join(
        name if value is True else f"{name} {value}" for name, value in look.items()
    )
    return f"{cluster!r}, {width} wide ({attributes or 'plain'})"


def _screen_state(one: Any, two: Any, active: bool, ignore: frozenset[str]) -> str:
    if active and one["margins"] != two["margins"] and "margins" not in ignore:
        return f"margins: expected {one['margins']}, seen {two['margins']}"
    if active and one["tabs"] != two["tabs"] and "tabs" not in ignore:
        return f"tab stops: expected {one['tabs']}, seen {two['tabs']}"
    if one["saved"] != two["saved"] and "saved" not in ignore:
        return f"saved cursor: {_keys(one['saved'], two['saved'])}"
    return ""
