"""What is run and typed for each recorded stream; record.py does it."""

# ruff: noqa: E501  (command lines stay whole)

from __future__ import annotations

from dataclasses import dataclass, field

from .scenes import CODE, GIT, LINKS, PROGRESS, SPINNER, TEXT, TEXTUAL, TREE, UNICODE

ESC = "\x1b"


@dataclass(frozen=True)
class Script:
    """One recording: the program, the terminal it is given, and what is typed."""

    name: str
    command: str  # for sh
    steps: tuple[str, ...]
    prepare: str = ""
    rows: int = 24
    cols: int = 80
    term: str = "xterm-256color"
    terminal: str = "xterm"  # which judge answers queries
    limit: int = 80_000  # bytes kept
    env: dict[str, str] = field(default_factory=dict)


SCRIPTS = (
    Script(
        "vim",
        "vim -u NONE -N --cmd 'set mouse=a ruler showcmd bg=dark | syntax on' code.py",
        (
            "/def\r",
            "n",
            ":split\r",
            ":set number\r",
            "GA # more" + ESC,
            "dd",
            "u",
            "V3k",
            ESC,
            ":vsplit\r",
            "ggOnew line with 漢字 and é" + ESC,
            "\x06",
            ":set list\r",
            ":!echo hi\r",
            "\r",
        ),
        prepare=CODE,
    ),
    Script(
        "less",
        "less file",
        (" ", " ", "/tail 1\r", "n", "G", "k", "k", "-S\r", "g", "q"),
        prepare=TEXT + " > file",
    ),
    Script(
        "htop",
        "htop -d 100",
        ("\x1b[B", "t", "F5", "\x1bOQ", ESC, "h", " "),
        rows=20,
        prepare="(sleep 60 & sleep 61 &)",
    ),
    Script(
        "man",
        "man ls",
        (" ", "/sort\r", "n", "b", "q"),
        env={"MANPAGER": "less -R"},
        prepare="man -w ls",
    ),
    Script(
        "mc",
        "mc",
        ("\x1b[B", "\t", "\x1b[20~", ESC + ESC, "\x1b[19~", ESC + ESC, "ls\r"),
        prepare="mkdir -p a b .config/mc; touch a/f1 f2 f3; "
        "printf '[Midnight-Commander]\\nxterm_title=false\\n' > .config/mc/ini",
    ),
    Script(
        "fish",
        "fish",
        (
            "ec",
            "\t",
            "ho hello | cat",
            "\r",
            "ls -C --color=always tree\r",
            "e",
            "\x1b[A",
            "\x03",
            "printf 'abc'\r",
            "cd tree/d\t\t",
            "\x15exit\r",
        ),
        prepare=TREE + "mkdir -p .config/fish; echo 'set -g fish_greeting; function fish_prompt; "
        'set_color green; echo -n "$ "; set_color normal; end; function fish_title; echo fish; end\''
        " > .config/fish/config.fish",
    ),
    Script(
        "zsh",
        "zsh -i",
        (
            "echo ha",
            "\x1b[D\x1b[D",
            "X\r",
            "ls -l tree | head -5\r",
            "ls --\t\t",
            "\x15",
            "print -P '%F{red}red%f %S so %s'\r",
            "for i in 1 2 3\rdo echo $i\rdone\r",
            "\x12echo",
            "\x03",
            "exit\r",
        ),
        prepare=TREE
        + 'echo \'PS1="%F{blue}$ %f"; RPROMPT="%F{8}right%f"; autoload -U compinit; compinit -u;'
        ' setopt promptsp; zstyle ":completion:*" menu select\' > .zshrc',
    ),
    Script(
        "bash",
        "bash --norc",
        (
            "ls -la --color=always tree\r",
            "seq 1 200\r",
            "echo 'a b c'\x1b[D\x1b[D",
            "\x01\x06\x06\x0b\r",
            "\x12seq",
            "\x07",
            "tput smcup; echo in alt; sleep 0.2\r",
            "tput cup 5 10; printf mid\r",
            "tput rmcup\r",
            "printf '\\033[4;20r\\033[?6h'; seq 30\r",
            "printf '\\033[r\\033[?6l\\033)0\\016lqqk\\017\\n'\r",
            "yes long-word-that-wraps | head -40 | tr '\\n' ' '\r",
        ),
        prepare=TREE,
    ),
    Script(
        "narrow",
        "bash --norc",
        (
            "ls -C --color=always tree\r",
            "echo some words that go on past the end of such a narrow terminal\x1b[D\x1b[D\x01\x0b\x19\r",
            "ls -l tree | cat -n\r",
            "vi -u NONE -N tree/file-1.txt\r",
            "iwords that wrap in the editor too, of course" + ESC,
            ":q!\r",
        ),
        rows=8,
        cols=20,
        prepare=TREE,
    ),
    Script(
        "python",
        "/usr/bin/python3 -q",
        (
            "x = [i for i in range(100)]\r",
            "x\r",
            "1/0\r",
            "import sys\r",
            "sys.ver\t",
            "\x03",
            "help('modules')\x01#\r",
            "exit()\r",
        ),
    ),
    Script(
        "tmux",
        "tmux -f tmux.conf new -n one 'sh'",
        (
            "seq 50\r",
            "\x02%",
            "ls --color=always tree\r",
            '\x02"',
            "vi -u NONE f\r",
            "ihello" + ESC,
            "\x02o",
            "\x02[",
            "\x1b[5~",
            "q",
            "\x02c",
            "\x02d",
        ),
        prepare=TREE
        + "echo \"set -g status-right ''; set -g default-terminal tmux-256color; set -g mouse on; set -g set-titles off; set -sg escape-time 10\" > tmux.conf",
    ),
    Script(
        "emacs",
        "emacs -nw -Q code.py",
        (
            "\x1b>",
            "new text\r",
            "\x182",
            "\x18o",
            "\x18b\r",
            "\x1bxhelp\t\t",
            "\x07\x07",
            "\x13def",
            "\r",
            "\x1f",
            "\x18\x03",
            "n",
        ),
        prepare=CODE,
    ),
    Script(
        "whiptail",
        "sh -c \"whiptail --title Demo --menu 'Choose one' 15 50 4 a First b Second c 'Third 漢字' d Fourth; "
        "whiptail --yesno 'Really?' 8 30; whiptail --gauge Wait 7 50 30 < g\"",
        ("\x1b[B", "\x1b[B", "\t", "\r", "\t", "\r"),
        prepare="for i in 10 50 90; do echo $i; done > g",
        env={"TERM": "xterm-256color"},
    ),
    Script(
        "dialog",
        "sh -c \"dialog --checklist 'Pick' 15 50 5 1 One on 2 Two off 3 Three on; dialog --form F 10 50 3 A: 1 1 x 1 10 20 0 B: 2 1 y 2 10 20 0;"
        ' dialog --calendar C 0 0 1 1 2020"',
        ("\x1b[B ", "\r", "text", "\t\t\r", "\x1b[C", "\r"),
    ),
    Script(
        "apt",
        "sh -c 'python3 apt.py; sleep 0.7; apt-get -o Dpkg::Progress-Fancy=1 -o APT::Color=1 -o Debug::NoLocking=1 "
        "-o Dpkg::Options::=--force-not-root -y install ./box-demo.deb 2>/dev/null; apt-get -o Dpkg::Progress-Fancy=1 -y purge box-demo 2>/dev/null'",
        ("", ""),
        prepare=PROGRESS,
    ),
    Script(
        "git-log",
        f'sh -c "{LINKS}; ls --hyperlink=always -l; git log --graph --oneline --color --all"',
        (" ", "q"),
        prepare=GIT,
        env={"LESS": "-R"},
    ),
    Script(
        "gcc",
        "sh -c 'gcc -fdiagnostics-color=always -fdiagnostics-urls=always -Wall -Wextra -c a.c; grep --color=always -n int a.c'",
        (),
        prepare='printf \'int f(int x) {\\n  int unused = 1;\\n  printf("%%s", x);\\n  if (x = 3) return "a";\\n}\\n\' > a.c',
    ),
    Script("tig", "tig", ("j", "j", "\r", "j", "q", "q"), prepare=GIT),
    Script(
        "nano",
        "nano code.py",
        ("\x16", "text\r", "\x17class\r", "\x07", "\x18", "\x18n"),
        prepare=CODE,
    ),
    Script(
        "nvim",
        "nvim -u NONE -n code.py",
        (
            "/def\r",
            ":set nu cul termguicolors\r",
            ":split\r",
            ":terminal\r",
            "iecho hi\r",
            "\x1c\x0e",
            ":vs\r",
            ":q\r",
            "Gofoo" + ESC,
            ":colorscheme desert\r",
            "\x15",
            ":qa!\r",
        ),
        prepare=CODE,
        env={"COLORTERM": "truecolor"},
    ),
    Script(
        "fzf",
        "sh -c 'seq 1000 | fzf --height=10 --reverse; seq 500 | sed s/^/item-/ | fzf --multi --border --preview \"echo {}; seq 5\"'",
        ("12", "\x1b[B\x1b[B", "\r", "7", "\t\t", "\x1b[A", "\r"),
    ),
    Script("ncdu", "ncdu tree", ("\x1b[B", "i", "q", "q"), prepare=TREE),
    Script(
        "w3m",
        "w3m p.html",
        ("\t", " ", "q", "y"),
        prepare="printf '<h1>T</h1><a href=x>link</a><table border=1><tr><td>a<td>b</table><p>%s' "
        "\"$(seq 200 | tr '\\n' ' ')\" > p.html",
    ),
    Script("unicode", "python3 u.py", (), prepare=UNICODE),
    Script(
        "vim-wide",
        "vim -u NONE -N --cmd 'set mouse=a ruler | syntax on' code.py",
        (":split\r", ":vsplit\r", "Gofoo" + ESC, ":set nu\r", ":q\r"),
        prepare=CODE,
        rows=50,
        cols=132,
    ),
    Script(
        "textual",
        "/tmp/tv/bin/python app.py",
        ("\t", "\x1b[B\x1b[B", "\tabc", "\x10", ESC, "\x11"),
        prepare=TEXTUAL,
        terminal="kitty",
        limit=40_000,
        term="xterm-kitty",
        env={"COLORTERM": "truecolor"},
    ),
    Script("rich", "/tmp/tv/bin/python p.py", (), prepare=SPINNER, env={"COLORTERM": "truecolor"}),
    Script("vttest-screen", "vttest", ("2\r", *["\r"] * 17), limit=40_000),
    Script("vttest-insert", "vttest", ("8\r", *["\r"] * 14), limit=40_000),
    Script("vttest-charset", "vttest", ("3\r", "8\r", "\r", "9\r", "\r", "0\r"), limit=40_000),
    Script(
        "vttest-ecma",
        "vttest",
        (
            "11\r",
            "5\r",
            "1\r",
            "\r",
            "2\r",
            "\r",
            "3\r",
            "\r",
            "4\r",
            "\r",
            "5\r",
            "\r",
            "6\r",
            "\r",
            "7\r",
            "\r",
        ),
        limit=60_000,
    ),
)
