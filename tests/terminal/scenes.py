"""What the recorded programs find in their home: shell text that makes files, and long commands."""

TEXT = 'for i in $(seq 300); do echo "line $i of a file that is read, with a tail $((i * i))"; done'

TREE = (
    "mkdir tree; cd tree; for i in $(seq 12); do mkdir dir-$i; ln -s dir-$i link-$i;"
    " echo $i > file-$i.txt;"
    " touch archive-$i.tar.gz photo-$i.png; printf x > run-$i.sh; chmod +x run-$i.sh; done;"
    " touch 'with space' '漢字の名前' été; cd ..;"
)

CODE = r"""cat > code.py <<'EOF'
import sys


class Greeter:
    '''Says hello, in several languages.'''

    WORDS = {"en": "hello", "de": "gr\u00fc\u00df dich", "ja": "\u3053\u3093\u306b\u3061\u306f"}

    def __init__(self, name: str) -> None:
        self.name = name

    def greet(self, lang: str = "en") -> str:
        return f"{self.WORDS[lang]}, {self.name}!"


if __name__ == "__main__":
    for lang in Greeter.WORDS:
        print(Greeter(sys.argv[1]).greet(lang))
EOF
""".replace("\\u00fc", "ü").replace("\\u00df", "ß")

GIT = (
    "git config --global user.name 'A U Thor'; git config --global user.email a@example.org;"
    "git config --global init.defaultBranch main; export GIT_COMMITTER_DATE='1700000000 +0000'"
    " GIT_AUTHOR_DATE='1700000000 +0000'; git init -q .;"
    "for i in $(seq 30); do echo line $i >> f; git add f;"
    ' git commit -qm "Change number $i to the file"; done;'
    "git checkout -qb side HEAD~5; echo x > g; git add g; git commit -qm 'On the side'"
)

LINKS = (
    "git --no-pager log --color --format='%C(yellow)%x1b]8;id=%h;https://example.org/c/%H%x1b\\%h"
    "%x1b]8;;%x1b\\%C(reset) %s %C(cyan)%an%C(reset)' -n 40"
)

PROGRESS = r"""cat > apt.py <<'EOF'
import sys, time
w = sys.stdout.write
rows = 24
w("Reading package lists... Done\r\nBuilding dependency tree... Done\r\n")
w("\n\x1b7\x1b[0;%dr\x1b8\x1b[1A" % (rows - 1))
for i in range(40):
    p = i * 100 // 39
    w("\x1b7\x1b[%d;0f\x1b[42m\x1b[30mProgress: [%3d%%]\x1b[49m\x1b[39m [%s%s] \x1b8"
      % (rows, p, "#" * (p // 2), "." * (50 - p // 2)))
    sys.stdout.flush()
    w("Setting up package-%d (1.0-%d) ...\r\n" % (i, i))
    if i == 20:
        time.sleep(0.8)
w("\n\x1b7\x1b[0;%dr\x1b8\x1b[1A\x1b[J" % rows)
sys.stdout.flush()
EOF
mkdir -p d/DEBIAN d/usr/share/box; for i in $(seq 20); do echo $i > d/usr/share/box/$i; done
printf '%s\n' 'Package: box-demo' 'Version: 1.0' 'Architecture: all' \
    'Maintainer: A <a@example.org>' 'Description: demo' > d/DEBIAN/control
dpkg-deb -b d box-demo.deb
"""

UNICODE = r"""cat > u.py <<'EOF'
import sys
w = sys.stdout.write
w("CJK 漢字かな交じり文 한국어 中文。 wide\n")
w("combining: e\u0301 a\u0308\u0323 o\u0302\u0301 n\u0303\u0330\u0331\n")
w("emoji: 😀 👍 ❤\ufe0f ☺\ufe0f ✂ 1\ufe0f\u20e3 text ❤\ufe0e\n")
w("zwj: 👩\u200d💻 👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 flags 🇩🇪🇯🇵 skin 👍🏽\n")
w("thai กำนี้ เมื่อ hindi नमस्ते क्षत्रिय arabic السلام عليكم hebrew שָׁלוֹם\n")
w("hangul \u1112\u1161\u11ab\u1100\u1173\u11af soft\u00adhyphen zero\u200bwidth nb\u00a0sp\n")
w("漢" * 45 + "\n" + "x" + "字" * 45 + "\n")
w("e\u0301" * 85 + "\n")
w("─│┌┐└┘├┤┬┴┼ ═║╔╗╚╝ ▀▄█▌▐░▒▓ ←↑→↓ ①②③ ℃ Ω ½ …\n")
w("overwrite: 漢字漢字\r\x1b[12CX\x1b[15Gy\n")
w("erase 漢字漢字\x1b[8D\x1b[1C\x1b[X \x1b[4D\x1b[K\n")
w("insert 漢字\x1b[3D\x1b[@i\x1b[2P|\n")
sys.stdout.flush()
sys.stdout.buffer.write(b"bad \xff\xfe \xc3( \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80 end\n")
EOF
"""

TEXTUAL = r"""cat > app.py <<'EOF'
from textual.app import App
from textual.widgets import Header, Footer, DataTable, Input, TabbedContent, TabPane, Markdown

class Demo(App):
    BINDINGS = [("d", "toggle_dark", "Dark")]
    def compose(self):
        yield Header(show_clock=False)
        with TabbedContent():
            with TabPane("Table"):
                yield DataTable()
            with TabPane("Text"):
                yield Markdown("# Title\n\nSome *text* with `code`.\n\n- one\n- two\n")
        yield Input(placeholder="type here")
        yield Footer()
    def on_mount(self):
        t = self.query_one(DataTable)
        t.add_columns("name", "size", "kind")
        for i in range(30):
            t.add_row(f"file-{i}", str(i * 17), "漢字" if i % 3 else "text")
Demo().run()
EOF
"""

SPINNER = r"""cat > p.py <<'EOF'
from rich.progress import track, Progress
from rich.console import Console
from rich.table import Table
import time
c = Console()
t = Table(title="Table")
for k in "abc":
    t.add_column(k, style="magenta")
for i in range(5):
    t.add_row(str(i), "[link=https://example.org/%d]row %d[/link]" % (i, i), "[bold red]x[/] 漢字")
c.print(t)
with Progress() as p:
    a = p.add_task("[red]Download", total=30)
    b = p.add_task("[green]Process", total=30)
    for i in range(30):
        p.update(a, advance=1); p.update(b, advance=0.7)
        if i % 7 == 0: p.console.print("done", i)
        time.sleep(0.02)
EOF
"""
