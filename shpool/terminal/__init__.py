"""The terminal model, without I/O: bytes in, state; restore bytes out.

    from shpool.terminal.model import Terminal
    terminal = Terminal(rows, cols, history_lines)
    terminal.feed(data)                        interpret output of the program, cut anywhere
    terminal.resize(rows, cols)                reflow
    terminal.restore(history, in_place=False)  bytes that draw it for a client that attaches
    terminal.leave()                           bytes that make that client's terminal usable again

    from shpool.terminal.backlog import Backlog
    backlog = Backlog(terminal)
    backlog.append(data)                       keep what the pty produced, to interpret it later
    backlog.advance(limit)                     interpret about limit bytes; True while more waits
    backlog.must_hold                          read the pty more slowly
    backlog.catch_up(), backlog.resize(rows, cols), backlog.restore(...), backlog.leave()

    from shpool.terminal.leave import LEAVE    for who has no model

Not modelled: images (after one the cursor may be wrong until the next absolute move), double-size
lines, VT52 mode, 132-column mode (DECCOLM), win32 input mode (?9001), single shifts, national
character sets other than the British one. A program that uses them is passed on to the client
untouched; only a restore does without.
"""
