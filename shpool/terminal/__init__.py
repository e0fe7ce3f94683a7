"""The terminal model, without I/O: bytes in, state; restore bytes out.

    from shpool.terminal.model import Terminal
    terminal = Terminal(rows, cols, history_lines)
    terminal.feed(data)                        interpret output of the program, cut anywhere
    terminal.resize(rows, cols)                reflow
    terminal.restore(history, in_place=False)  bytes that draw it for a client that attaches
    terminal.leave()                           bytes that make that client's terminal usable again

    from shpool.terminal.backlog import Backlog
    backlog = Backlog(terminal)
    backlog.append(data, unanswered=False)     keep what the pty produced, to interpret it later
    backlog.advance(limit)                     interpret about limit bytes; True while more waits
    backlog.asked, backlog.take_answers()      questions in what was passed on to no terminal
    backlog.must_hold                          read the pty more slowly
    backlog.mark                               the number of the line at the top of the screen
    backlog.received, backlog.pending          bytes that ever came, and that are not interpreted
    backlog.catch_up(), backlog.resize(rows, cols), backlog.restore(...)

    from shpool.terminal.drawn import Drawing, enter
    drawing = Drawing(terminal, rows, cols)    for terminals of another size, after enter()
    drawing.change()                           bytes that bring the last picture up to date
    drawing.whole()                            the last picture, for who has missed one

    terminal.news = News()                     from shpool.terminal.news: what is sent for once
    terminal.news.take()                       bytes for who is drawn on

    from shpool.terminal.leave import LEAVE    for who has no model

The interpreter is one object in layers, each a class in a file of its own that knows those below.
An attribute belongs to the layer that sets it first, and whose docstrings say what it means:

    Machine     machine.py     state, after_print; the sequence that is unfinished
    Parser      parser.py      continues, unprinted, work; what else is unfinished
    Grid        grid.py        rows, cols; main, alternate, and screen, lines for the one in use;
                               x, y, margin_wrap; top, bottom, left, right, side_margins, origin;
                               limit; pen, fill, linked; autowrap, insert_mode, newline_mode;
                               charsets, shift, translation; history, begun, restarts;
                               pens, clusters, generation; packed
    Cursor      cursor.py      tab_stops, alternate_tab_stops, reverse_wrap, clustering
    Printer     printing.py    nothing: it writes cells
    Editor      edit.py        nothing: it erases and moves them
    Modes       modes.py       modes, tracking, encoding, alternate_mode, saved_modes
    Properties  properties.py  title, icon and their stacks, directory, palette, dynamic, shape,
                               pointer, progress, modify: with it the state is whole; news
    Answers     answers.py     answering, name
    Terminal    model.py       what the daemon talks to

sequences.py says which method a sequence calls. Rows and what they are made of: screen.py,
cells.py, lines.py, pen.py, pens.py, clusters.py, width.py; blocks.py has what a backlog keeps bytes
in. Functions of a whole state, which is all they know: reflow.py, restore.py with paint.py and
settings.py, goodbye.py, compact.py, snapshot.py, screen_lines.py, past.py, drawn.py with window.py.
news.py is no state.

What is handed on to another process is what each class names in CARRIED (daemon/carried.py), rows
as columns (columns.py). A history that was handed on is packed until advance() has unpacked it,
before anything else is interpreted.

Not modelled: images (after one the cursor may be wrong until the next absolute move), double-size
lines, VT52 mode, 132-column mode (DECCOLM), win32 input mode (?9001), single shifts, national
character sets other than the British one. A program that uses them is passed on to the client
untouched; only a restore does without.
"""
