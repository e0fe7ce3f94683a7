"""shpool ssh HOST: a session on another host, by an ssh that is run again when it is lost.

    command.py       the order of what is done, from the first connection to the last
    command_line.py  what is asked for
    host.py          the host: how it is reached, what is taken there, what is run
    arguments.py     ours from ssh's on the command line
    probing.py       what the ssh at hand can be told, from its -G
    package.py       the one file that is to run there
    notes.py         which host has it already, in the user's cache
    copying.py       the connection that takes it there; there.py is what that runs
    script.py        what the session's connection runs there, for any shell
    marks.py         what that tells us among its output, which is taken out
    complaints.py    what ssh says on stderr: what of it is shown, and what it means
    process.py       an ssh that runs, and the signals that come meanwhile
    connection.py    one ssh with the terminal, to its end
    retries.py       what an end means, how long to wait, and what to say meanwhile
    pause.py         the line that counts down, and the keys that count

arguments, marks, complaints, retries and script are pure: they are fed bytes or words.
"""
