"""What to write to a terminal that a session leaves, so that the shell outside is usable.

For whoever knows nothing of the session's state (a client that lost its daemon). Who has the
model asks it instead (Terminal.leave), which also takes back what only the session changed.
"""

# Private modes off, each as a sequence of its own: several terminals drop a whole sequence
# for one number they do not know.
_OFF = (
    9,  # mouse: X10, then buttons, highlight, drag, any motion
    1000,
    1001,
    1002,
    1003,
    1005,  # mouse encodings: UTF-8, SGR, urxvt, SGR in pixels
    1006,
    1015,
    1016,
    1004,  # focus reports
    2004,  # bracketed paste
    2031,  # colour scheme reports
    2048,  # size reports
    1,  # application cursor keys
    5,  # reverse video
)

_ALTERNATE_OFF = b"\x1b[?1049l"

_POP_KEYBOARD = b"\x1b[<99u"  # deeper than any stack; an emptied stack resets the flags

# Left alone, because the user's own default is not known here: cursor shape and blink, ?1007,
# ?45, ?1034 to ?1039, ?2027, colours, title. Not DECSTR and not RIS: what they reset besides
# differs from terminal to terminal.
#
# ESC 7 stands before whatever moves a cursor that should stay: ?1049l on the main screen,
# CSI r, ?6l, and CSI < u where an old terminal takes it for SCORC. Where ESC 8 also brings back
# origin mode (xterm, kitty) and the program had it on in the main screen, it stays on, within
# margins that are the whole screen; switching it off blindly would send every cursor home.
LEAVE = b"".join(
    [
        b"\x18\x1b\\",  # CAN and ST: out of any unfinished sequence
        b"\x1b[?2026l",
        b"\x1b7" + _POP_KEYBOARD + _ALTERNATE_OFF,  # the alternate screen has its own stack
        b"\x1b7" + _POP_KEYBOARD + b"\x1b[?69l\x1b[r\x1b[?6l\x1b8",
        b"".join(b"\x1b[?%dl" % mode for mode in _OFF),
        b"\x1b>",  # numeric keypad
        b"\x1b[?7h\x1b[?25h",
        b"\x1b[4l\x1b[20l",  # replace mode, line feed mode
        b"\x1b[>4m",  # modifyOtherKeys to its default; taken for SGR by some, so before CSI m
        b"\x1b]8;;\x1b\\",
        b"\x1b[m\x0f\x1b(B\x1b)B",  # last: ESC 8 brings back pen and charsets
    ]
)

# LEAVE for a terminal that is known to show the main screen.
LEAVE_MAIN = LEAVE.replace(_ALTERNATE_OFF, b"")

# The end that both have in common.
LEAVE_END = LEAVE.rpartition(_ALTERNATE_OFF)[2]
