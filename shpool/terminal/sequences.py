"""The control sequences that the model knows: how they are told apart, and who handles them.

Each table maps what identifies a sequence to the name of a method of Terminal. In a CSI the
identity is the private prefix, the intermediates and the final: `CSI ? 1 s` is "?s", never "s".
What is not in a table is swallowed: it is unknown, or has no lasting effect.
"""

import re
import sys

from .pen import MAX_PARAMS, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # What a control does to a terminal. None: the parser sees to it itself, for it needs to know
    # what stood before (REP) or what follows (the start of a sequence that is not complete here).
    Action = Callable[[Any], None] | None

# Makes a repeat possessive, which is faster: what follows each is none of what it repeats, so that
# it need not be tried with less. Python before 3.11 tries, and finds the same.
_POSSESSIVE = "+" if sys.version_info >= (3, 11) else ""

# Changes of the pen that stand together are one control, where they are simple: curses sends
# ESC ( B with each reset, and a sequence for each attribute. Of longer ones there would be too many
# different pairs to remember.
_SIMPLE_SGR = rf"\[ [0-9]{{0,2}}{_POSSESSIVE} m"
_MORE = rf"(?: \x1b {_SIMPLE_SGR} (?: \x1b {_SIMPLE_SGR} | ) | )"

# Splits what was decoded into text and controls, which alternate. A control is a whole sequence
# when it stands there complete and without oddities, else its first character alone; the state
# machine (machine.py) then takes over. The character class comes first because re can search for
# a class, but not for an alternation, without trying a match at each position. Empty alternatives
# in place of question marks, because they are faster.
split = re.compile(
    rf"""
    ( [\x00-\x1f\x80-\x9f]
      (?: (?<=\x1b)
          (?: \( B {_MORE} | {_SIMPLE_SGR} {_MORE}
            | \[ [0-?]*{_POSSESSIVE} [ -/]*{_POSSESSIVE} [@-~]     # CSI
            | \] [^\x00-\x1f\x80-\x9f]*{_POSSESSIVE} (?: \x07 | \x9c | \x1b\\ | (?=\x1b) )  # OSC
            | [ -/]+{_POSSESSIVE} [0-~]                            # ESC with intermediates
            | [0-OQ-WYZ\\`-~]                                      # ESC, but for string starters
          )
        | (?<=\r) \n                                               # the usual line end, as one
        |
      )
    )
    """,
    re.VERBOSE,
).split

_PEN = re.compile(r"(?:\x1b(?:\[[0-9:;]*m|\(B))+").fullmatch
_ASCII = "\x1b(B"
_RESETS = ("", "0", "0;", "m\x1b", "0m")  # how what changes the pen begins, if by a reset
_CSI = re.compile(r"\x1b\[([<=>?]?)([0-9:;]*)([ -/]*)([@-~])").fullmatch

# What begins a sequence that is not complete: the first state of the machine takes it from there.
OPENERS = frozenset("\x1b\x90\x98\x9b\x9d\x9e\x9f")

C0 = {
    "\a": "ring",
    "\b": "backspace",
    "\t": "tab",
    "\n": "line_feed",
    "\x0b": "line_feed",
    "\x0c": "line_feed",
    "\r": "carriage_return",
    "\r\n": "new_line",
    "\x0e": "shift_out",
    "\x0f": "shift_in",
    "\x84": "index",  # IND
    "\x85": "next_line",  # NEL
    "\x88": "set_tab_stop",  # HTS
    "\x9a": "identify",  # DECID
}

ESC = {
    "7": "save_cursor",  # DECSC
    "8": "restore_cursor",  # DECRC
    "D": "index",  # IND
    "E": "next_line",  # NEL
    "H": "set_tab_stop",  # HTS
    "M": "reverse_index",  # RI
    "Z": "identify",  # DECID
    "=": "application_keypad",  # DECKPAM
    ">": "numeric_keypad",  # DECKPNM
    "c": "reset",  # RIS
    "n": "lock_shift_2",  # LS2
    "o": "lock_shift_3",  # LS3
    "|": "lock_shift_3",  # LS3R; right halves are not kept apart
    "}": "lock_shift_2",  # LS2R
    "~": "shift_out",  # LS1R
    "%@": "default_charset",
    "%G": "default_charset",
    "#8": "alignment_display",  # DECALN
}

CHARSET_SLOTS = {"(": 0, ")": 1, "*": 2, "+": 3, "-": 1, ".": 2}  # SCS: which of G0 to G3

# Sequences whose parameters are numbers. An empty or missing one is 0, which nearly all of them
# take for their default.
CSI = {
    "@": "insert_characters",  # ICH
    "A": "cursor_up",  # CUU
    "B": "cursor_down",  # CUD
    "C": "cursor_forward",  # CUF
    "D": "cursor_back",  # CUB
    "E": "cursor_next_line",  # CNL
    "F": "cursor_previous_line",  # CPL
    "G": "cursor_column",  # CHA
    "H": "cursor_position",  # CUP
    "I": "tab_forward",  # CHT
    "J": "erase_in_display",  # ED
    "?J": "selective_erase_in_display",  # DECSED
    "K": "erase_in_line",  # EL
    "?K": "selective_erase_in_line",  # DECSEL
    "L": "insert_lines",  # IL
    "M": "delete_lines",  # DL
    "P": "delete_characters",  # DCH
    "S": "scroll_up",  # SU
    "T": "scroll_down",  # SD
    "X": "erase_characters",  # ECH
    "Z": "tab_back",  # CBT
    "`": "cursor_column",  # HPA
    "a": "cursor_forward",  # HPR
    "d": "cursor_row",  # VPA
    "e": "cursor_down_unbounded",  # VPR
    "f": "cursor_position",  # HVP
    "g": "clear_tab_stop",  # TBC
    "h": "set_mode",  # SM
    "l": "reset_mode",  # RM
    "?h": "set_private_mode",  # DECSET
    "?l": "reset_private_mode",  # DECRST
    "?s": "save_private_mode",  # XTSAVE
    "?r": "restore_private_mode",  # XTRESTORE
    "!p": "soft_reset",  # DECSTR
    '"q': "select_protection",  # DECSCA
    " q": "cursor_style",  # DECSCUSR
    "r": "set_margins",  # DECSTBM
    "s": "set_side_margins",  # DECSLRM under ?69, else SCOSC
    "u": "restore_cursor",  # SCORC
    "t": "window_operation",  # XTWINOPS: only the title stack
    "'}": "insert_columns",  # DECIC
    "'~": "delete_columns",  # DECDC
    " @": "shift_left",  # SL
    " A": "shift_right",  # SR
    "?W": "reset_tab_stops",  # DECST8C
    "$z": "erase_rectangle",  # DECERA
    "${": "selective_erase_rectangle",  # DECSERA
    "$x": "fill_rectangle",  # DECFRA
    "$v": "copy_rectangle",  # DECCRA
    ">m": "modify_keys",  # XTMODKEYS
    ">n": "disable_modify_keys",
    ">u": "push_keyboard",  # kitty keyboard protocol
    "=u": "set_keyboard",
    "?u": "report_keyboard",
    "c": "primary_attributes",  # DA1
    ">c": "secondary_attributes",  # DA2
    ">q": "report_version",  # XTVERSION
    "n": "report_status",  # DSR, CPR
    "?n": "report_private_status",  # DECXCPR
    "$p": "report_mode",  # DECRQM
    "?$p": "report_private_mode",
}


# Controls that hardly ever come again, so that they are not worth remembering: colours of a picture
# in true colour, and, to a screen of many thousand cells, a position. Just SGR with one or two
# colours, written without needless zeros.
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_RGB = f"2;{_BYTE};{_BYTE};{_BYTE}"
true_colours = re.compile(rf"\x1b\[(?:(38;{_RGB})(?:;(48;{_RGB}))?|(48;{_RGB}))m").fullmatch
position = re.compile(r"\x1b\[([1-9][0-9]{0,3});([1-9][0-9]{0,3})H").fullmatch


def parameters(body: str) -> tuple[int, ...]:
    """Parameters as numbers, 0 for an empty one; subparameters behind colons are left out."""
    parts = body.split(";", MAX_PARAMS)[:MAX_PARAMS]
    return tuple([max(number(part.partition(":")[0]), 0) for part in parts])


def resolve(control: str, terminal: "Any") -> "Action":
    """What a control does: a method of the terminal's class, with its arguments."""
    name = None
    args: tuple[Any, ...] = ()
    if control[-1] in "mB" and _PEN(control):
        # First, because a picture in true colour has no two alike. What starts with a reset leads
        # to the same pen wherever it began.
        body = control.replace(_ASCII, "")[2:-1]
        name = "set_pen" if body[:2] in _RESETS else "change_pen"
        args = (body,)
        if control.endswith(_ASCII * control.count("\x1b")):
            name, args = "designate_charset", (0, "B")
        elif _ASCII in control:
            name += "_in_ascii"
    elif control in C0:
        name = C0[control]
    elif control in OPENERS:
        return None
    elif control[:2] == "\x1b[":
        match = _CSI(control)
        if match:
            prefix, body, intermediates, final = match.groups()
            identity = prefix + intermediates + final
            if identity == "b":
                return None  # REP
            if identity in ("H", "f"):
                row, column = (*parameters(body), 0)[:2]
                name, args = CSI[identity], (max(row - 1, 0), max(column - 1, 0))
            elif identity == ">m":
                name, args = "modify_keys", (body,)
            elif identity == "<u":
                # The one sequence for which a 0 is not the default.
                name, args = "pop_keyboard", (parameters(body)[0] if body else 1,)
            elif identity in CSI:
                name = CSI[identity]
                args = parameters(body)
    elif control[:2] == "\x1b]":
        name = "operating_system_command"
        end = "\x07" if control[-1] == "\x07" else "\x1b\\"
        args = (control[2:].removesuffix("\x1b\\").rstrip("\x07\x9c"), end)
    elif control[:1] == "\x1b":
        name = ESC.get(control[1:])
        if name is None and control[1] in CHARSET_SLOTS:
            name = "designate_charset"
            args = (CHARSET_SLOTS[control[1]], control[2:])
    return _with(getattr(type(terminal), name or "ignore"), args)


def _with(method: "Callable[..., None]", args: "tuple[Any, ...]") -> "Action":
    """A method as a call that only needs the terminal. Each count of arguments is spelt out:
    unpacking a tuple takes as long as most of what is called."""
    if not args:
        return method
    if len(args) == 1:
        (first,) = args
        return lambda terminal: method(terminal, first)
    if len(args) == 2:
        first, second = args
        return lambda terminal: method(terminal, first, second)
    return lambda terminal: method(terminal, *args)
