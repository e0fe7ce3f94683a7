"""What ssh is told to run there: a script for a POSIX sh, whatever shell the account has.

That shell is given  exec /bin/sh -c 'SCRIPT' sh WORD...  with nothing in it that any of bash, dash,
ksh, zsh, fish, tcsh and csh takes for its own: printable ASCII without ' \\ ! and newline.  All
that comes from the user is in WORD, in hexadecimal.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# A word of execve(2) may have 128 KiB on Linux, and the shell there gets all of it as one.
LONGEST = 120_000

# csh takes no word of 8,192 bytes.
_WORD = 4_096

_FORBIDDEN = frozenset("'\\!\n")

# Passes on a Python that can run shpool, and prints by which name what is compiled for it goes.
_TEST = (
    "import sys;sys.version_info>=(3,9) or sys.exit(1);"
    "import _socket,errno,fcntl,hashlib,os,select,selectors,signal,struct,termios,zipimport,zlib;"
    "print(sys.implementation.cache_tag)"
)

# $b is a backslash, which may not stand here, but which od shows a newline by.  What is typed
# waits on stdin, and stays there.
# find: $p is the first Python that passes, or the function fails; $w is what else was found.
_FIND = (
    'b=$(set -f;set -- $(echo|od -An -c);printf %s "$1");b=${b%n};'
    'm(){ [ -z "$k" ]||printf "${b}033]8888;%s;%s${b}007" "$k" "$1";};'
    f'try(){{ command -v "$1" >/dev/null 2>&1||return 1;'
    f't=$("$1" -IS -c "{_TEST}" 2>/dev/null </dev/null)&&p=$1&&return 0;'
    'w="$w${w:+, }$1 ($("$1" -V 2>&1 </dev/null))";return 1;};'
    'find(){ [ "$1" ]&&try "$1"&&return 0;'
    'for q in "" /usr/local/bin/ /opt/homebrew/bin/ "$HOME/.local/bin/";do '
    "for v in 3 3.14 3.13 3.12 3.11 3.10 3.9;do "
    'try "${q}python$v"&&return 0;done;done;try /usr/libexec/platform-python;};'
)

_COPY = (
    "k=${1%%.*};w=;" + _FIND + 'if find "";then m ready;'
    'exec "$p" -IS -c "import sys;exec(sys.stdin.buffer.read(int(sys.argv[1])))" "${1#*.}";'
    "fi;m none"
)

# Of the fields in WORD, which is several words if it is long, these come first; then NAME=VALUE for
# the environment, --, and the words of the command line.
#   k token, f file, o the path of another shpool, e --existing or empty, n the session's name,
#   a what shpool is told of who runs it
# ok: a real directory of ours that nobody else may enter.  run: with a client that knows what a
# Comeback is, or, in old, one that does not: there the list tells whether it is to come back.
_SESSION = (
    "w=;"
    + _FIND
    + "set -- $(IFS=.;echo $*);r=;"
    + "for c do shift;case $c in ,)"
    + 'r=$(printf "${r}x");set -- "$@" "${r%x}";r=;;*)'
    + "c=$((0x$c));r=$r$b$((c/64))$((c/8%8))$((c%8));;esac;done;"
    + "k=$1;f=$2;o=$3;e=$4;n=$5;a=$6;shift 6;"
    + 'until [ "$1" = -- ];do export "$1";shift;done;shift;'
    + "u=$(id -u);"
    + 'ok(){ [ -h "$1" ]&&return 1;set -- $(ls -ldn "$1" 2>/dev/null);'
    + 'case "$1,$3" in drwx------*,"$u")return 0;;esac;return 1;};'
    + "case $XDG_CACHE_HOME in /*)h=$XDG_CACHE_HOME;;*)h=$HOME/.cache;;esac;"
    + 'for d in "$h/shpool" "/tmp/shpool-$u";do ok "$d"&&[ -f "$d/$f.pyz" ]&&break;d=;done;'
    # Without a home the daemon's files have no place either.
    + '[ "$XDG_RUNTIME_DIR" ]||[ -w "$HOME" ]||[ -w "$HOME/.local/run/shpool" ]||'
    + 'case $d in "/tmp/shpool-$u")export XDG_RUNTIME_DIR=$d;;esac;'
    + 'run(){ m seen;SHPOOL__SSH=$a "$@";s=$?;m "end;$s";exit $s;};'
    + 'old(){ x=$1;shift;if [ "$e" ];then s=$("$x" list 2>/dev/null|'
    + 'while read -r i z;do [ "$i" = "$n" ]&&echo "=$z"&&break;done);'
    + 'case $s in "")m gone;exit 1;;*disconnected*);;*)'
    + '[ "$1" = -f ]||{ m "busy;original";exit 1;};;esac;fi;run "$x" attach "$@";};'
    + 'use(){ if "$1" help ssh >/dev/null 2>&1 </dev/null;then x=$1;shift;'
    + 'run "$x" attach ${e:+"$e"} "$@";fi;old "$@";};'
    + '[ -z "$o" ]||use "$o" "$@";'
    + 'y=;[ "$d" ]&&[ -f "$d/$f.python" ]&&read -r y <"$d/$f.python";'
    + 'if find "$y";then if [ "$d" ];then '
    + 'q=$d/$f-$t.pyz;[ -f "$q" ]||q=$d/$f.pyz;'
    + 'run "$p" -IS "$q" attach ${e:+"$e"} "$@";fi;else p=;fi;'
    + 'for x in shpool "$HOME/.local/bin/shpool";do '
    + 'command -v "$x" >/dev/null 2>&1&&use "$x" "$@";done;'
    + '[ -z "$p" ]||{ m copy;exit 1;};'
    + 'echo "shpool: there is no Python of 3.9 or later here, and no shpool: found ${w:-none}" >&2;'
    + 'm "end;1";exit 1'
)


def _command(script: str, *words: str) -> str:
    assert script.isascii()
    assert script.isprintable()
    assert _FORBIDDEN.isdisjoint(script)
    return f"exec /bin/sh -c '{script}' sh {' '.join(words)}"


def copy_command(token: str, size: int) -> str:
    """Have a Python run a program of that size, in bytes, which is sent after the mark `ready`; or,
    where there is no Python, the mark `none`.

    It is not part of the command, because csh takes no word of 8,192 bytes; and not sent
    before, because something else may run there.
    """
    return _command(_COPY, f"{token}.{size}")


def session_command(
    *,
    token: str,
    file: str,
    remote: str,
    name: str,
    existing: bool,
    caller: str,
    env: "Iterable[tuple[str, str]]",
    words: "Sequence[str]",
) -> str:
    """Attach there: with `remote`, if it is not empty, or else by the file of that name.

    Marks tell how it went: `seen` before, `end;STATUS` behind it; or `copy`, the file is not
    there; or what a client says to its caller (client/caller.py).  Without a token there are none.
    """
    fields = [token, file, remote, "--existing" if existing else "", name, caller]
    fields += [f"{key}={value}" for key, value in env]
    fields += ["--", *words]
    return _command(_SESSION, *_split(".".join(_written(field) for field in fields)))


def _split(word: str) -> "Iterator[str]":
    """Pieces of it without the dots between them."""
    while len(word) > _WORD:
        at = word.rindex(".", 0, _WORD)
        yield word[:at]
        word = word[at + 1 :]
    yield word


def _written(field: str) -> str:
    """Its bytes, and what stands behind each field."""
    return ".".join([*(f"{byte:02x}" for byte in field.encode(errors="surrogateescape")), ","])
