// Terminals of @xterm/headless behind a line protocol: one JSON request a line on stdin, one JSON
// answer a line on stdout, in order. Requests are {op, id, ...}; answers {ok: value} or
// {error: text}. Bytes travel as strings of code points 0 to 255. What the public interface does
// not show (saved cursor, charsets, margins, half-read sequences) is read from the core.
'use strict';

const readline = require('readline');
const { Terminal } = require('@xterm/headless');
const { Unicode11Addon } = require('@xterm/addon-unicode11');

// Modes that this terminal takes no notice of, but a session's restore must bring back.
const NOTED_MODES = new Set([
  5, 67, 69, 1007, 1034, 1035, 1036, 1037, 1039, 1046, 2027, 2031, 2048, 80, 1070,
]);
const COLOUR_NAMES = { 256: 'foreground', 257: 'background', 258: 'cursor' };

const terminals = new Map();

// How many bytes at the end are the beginning of a UTF-8 character.
function unfinished(data) {
  for (let back = 1; back <= Math.min(3, data.length); back += 1) {
    const byte = data[data.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc2) {
      const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
      return length > back ? back : 0;
    }
  }
  return 0;
}

class Judge {
  constructor(request) {
    this.term = new Terminal({
      rows: request.rows,
      cols: request.cols,
      scrollback: request.scrollback,
      allowProposedApi: true,
      logLevel: 'off',
      windowOptions: { pushTitle: true, popTitle: true },
      ...request.options,
    });
    this.term.loadAddon(new Unicode11Addon());
    this.term.unicode.activeVersion = '11';
    this.core = this.term._core;
    this.input = this.core._inputHandler;
    this.links = new Map();
    this.bells = 0;
    this.answers = '';
    this.colours = {};
    this.directory = null;
    this.marks = [];
    this.decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    this.tail = Buffer.alloc(0);
    this.forget();
    this.listen();
  }

  // What RIS takes back of what is noted here. This terminal keeps colours and titles then.
  forget() {
    this.noted = {};
    this.otherKeys = null;
  }

  listen() {
    const { term, core, input } = this;
    // The core forgets a link when the rows it was printed on go; the pen may still hold it.
    const service = core._oscLinkService;
    const register = service.registerLink.bind(service);
    service.registerLink = (data) => {
      const number = register(data);
      this.links.set(number, data);
      return number;
    };
    term.onBell(() => { this.bells += 1; });
    term.onData((data) => { this.answers += data; });
    input.onColor((events) => {
      for (const event of events) this.noteColour(event);
    });
    input.onRequestReset(() => this.forget());
    for (const [final, value] of [['h', true], ['l', false]]) {
      term.parser.registerCsiHandler({ prefix: '?', final }, (params) => {
        for (const mode of params) if (NOTED_MODES.has(mode)) this.noted[mode] = value;
        return false;
      });
    }
    term.parser.registerCsiHandler({ prefix: '>', final: 'm' }, (params) => {
      // An empty value, which means the default, is read as 0 here.
      if (params[0] === 4) this.otherKeys = params[1] || null;
      return true;
    });
    term.parser.registerOscHandler(133, (data) => {
      const line = term.registerMarker(0);  // none on the alternate screen
      if (line) this.marks.push({ data, x: core.buffer.x, line });
      return true;
    });
    term.parser.registerOscHandler(7, (data) => { this.directory = data; return true; });
  }

  noteColour(event) {
    if (event.type === 1) {
      this.colours[COLOUR_NAMES[event.index] || event.index] = event.color;
    } else if (event.type === 2 && event.index === undefined) {
      for (const key of Object.keys(this.colours)) if (/^\d+$/.test(key)) delete this.colours[key];
    } else if (event.type === 2) {
      delete this.colours[COLOUR_NAMES[event.index] || event.index];
    }
  }

  // Bytes are decoded here: the core's decoder loses a character that is cut behind a byte 0x80, and
  // drops invalid bytes, for which xterm shows U+FFFD.
  write(text) {
    const data = Buffer.from(text, 'latin1');
    this.tail = Buffer.concat([this.tail, data]).subarray(-4);
    this.core.writeSync(this.decoder.decode(data, { stream: true }));
  }

  colour(mode, value) {
    // Colour 1 may be set as "31" or "38;5;1": both are the same entry of the palette.
    if (mode === 0) return null;
    if (mode === 0x3000000) return '#' + (value & 0xffffff).toString(16).padStart(6, '0');
    return value & 0xff;
  }

  link(number) {
    const data = this.links.get(number);
    return data ? [data.uri, data.id === undefined ? null : data.id] : null;
  }

  // What a cell, or the pen, looks like; the empty object is the default.
  attributes(cell) {
    const out = {};
    const extended = (cell.bg & 0x10000000) !== 0;
    if (cell.fg & 0x8000000) out.bold = true;
    if (cell.bg & 0x8000000) out.dim = true;
    if (cell.bg & 0x4000000) out.italic = true;
    if (cell.fg & 0x20000000) out.blink = true;
    if (cell.fg & 0x4000000) out.inverse = true;
    if (cell.fg & 0x40000000) out.hidden = true;
    if (cell.fg & 0x80000000) out.strike = true;
    if (cell.bg & 0x40000000) out.overline = true;
    if (cell.bg & 0x20000000) out.protected = true;
    const fg = this.colour(cell.fg & 0x3000000, cell.fg);
    const bg = this.colour(cell.bg & 0x3000000, cell.bg);
    if (fg !== null) out.fg = fg;
    if (bg !== null) out.bg = bg;
    // A link makes the core answer "dashed"; the style that the program set lies below it.
    const ext = extended ? cell.extended._ext : 0;
    if (cell.fg & 0x10000000) out.underline = ((ext & 0x1c000000) >>> 26) || 1;
    // SGR 59 stores all ones here, which is also pure white; see README.
    const line = ext & 0x3ffffff;
    if (line !== 0x3ffffff && (cell.fg & 0x10000000)) {
      const value = this.colour(line & 0x3000000, line);
      if (value !== null) out.underlineColour = value;
    }
    if (extended && cell.extended._urlId) out.link = this.link(cell.extended._urlId);
    return out;
  }

  // A row as runs [attributes' number, cells' width, text or list of clusters].
  row(line, cols, table) {
    const cells = [];
    const cell = this.term.buffer.active.getNullCell();
    let last = null;
    for (let x = 0; x < cols; x += 1) {
      line.loadCell(x, cell);
      const chars = cell.getChars();
      const width = cell.getWidth();
      let number;
      if (cell.fg === 0 && cell.bg === 0) {
        number = 0;
      } else {
        const key = JSON.stringify(this.attributes(cell));
        number = table.get(key);
        if (number === undefined) {
          number = table.size;
          table.set(key, number);
        }
      }
      // A blank that was never printed is NUL here, one that was is a space.
      const glyph = chars === '' ? '\0' : chars;
      const simple = width === 1 && glyph.length === 1;
      if (last !== null && last[0] === number && simple && last[1] === 1 && !Array.isArray(last[2])) {
        last[2] += glyph;
      } else if (simple) {
        last = [number, 1, glyph];
        cells.push(last);
      } else {
        last = [number, width, [chars]];
        cells.push(last);
      }
    }
    return [line.isWrapped ? 1 : 0, cells];
  }

  screen(buffer, table, withHistory) {
    const { rows, cols } = this.term;
    const lines = [];
    const base = Math.max(buffer.ybase, 0);
    const history = [];
    if (withHistory) {
      for (let y = 0; y < base; y += 1) history.push(this.row(buffer.lines.get(y), cols, table));
    }
    for (let y = 0; y < rows; y += 1) {
      const line = buffer.lines.get(base + y);
      lines.push(line ? this.row(line, cols, table) : null);
    }
    const saved = buffer.savedCurAttrData.clone();
    saved.extended = this.core._inputHandler._curAttrData.extended;
    const pen = this.attributes(saved);
    delete pen.link;
    delete pen.underlineColour;
    if (pen.underline) pen.underline = 1;
    return {
      history,
      historyLength: base,
      lines,
      margins: [buffer.scrollTop, buffer.scrollBottom],
      tabs: Object.keys(buffer.tabs).map(Number).filter((x) => buffer.tabs[x] && x < cols),
      saved: {
        x: Math.min(buffer.savedX, cols - 1),
        y: Math.max(buffer.savedY - buffer.ybase, 0),
        charset: this.charset(buffer.savedCharset),
        pen,
      },
    };
  }

  charset(table) {
    if (!table) return 'ascii';
    if (table['`'] === '\u25c6') return 'graphics';
    const keys = Object.keys(table);
    if (keys.length === 1 && table['#'] === '\u00a3') return 'uk';
    return 'other: ' + JSON.stringify(table);
  }

  dump(withHistory) {
    const { term, core, input } = this;
    const { buffers } = core;
    const table = new Map([['{}', 0]]);
    const active = buffers.active;
    const modes = core.coreService.decPrivateModes;
    const sets = core._charsetService;
    const pen = this.attributes(input._curAttrData);
    // The pen's underline colour counts before the underline is turned on.
    const line = input._curAttrData.extended._ext & 0x3ffffff;
    if (line !== 0x3ffffff && line & 0x3000000) {
      pen.underlineColour = this.colour(line & 0x3000000, line);
    }
    const parser = input._parser;
    const dump = {
      rows: term.rows,
      cols: term.cols,
      alternate: active === buffers.alt,
      screens: [
        this.screen(buffers.normal, table, withHistory),
        buffers.alt.lines.length ? this.screen(buffers.alt, table, false) : null,
      ],
      cursor: {
        x: Math.min(active.x, term.cols - 1),
        y: active.y,
        pendingWrap: active.x >= term.cols,
        hidden: core.coreService.isCursorHidden,
        style: modes.cursorStyle || null,
        styleBlink: modes.cursorBlink === undefined ? null : modes.cursorBlink,
        blink: core.optionsService.rawOptions.cursorBlink,
      },
      pen,
      modes: {
        applicationCursor: modes.applicationCursorKeys,
        applicationKeypad: modes.applicationKeypad,
        bracketedPaste: modes.bracketedPasteMode,
        focusEvents: modes.sendFocus,
        origin: modes.origin,
        reverseWrap: modes.reverseWraparound,
        synchronized: modes.synchronizedOutput,
        autowrap: modes.wraparound,
        insert: core.coreService.modes.insertMode,
        newLine: core.optionsService.rawOptions.convertEol,
        mouse: core.coreMouseService.activeProtocol,
        mouseEncoding: core.coreMouseService.activeEncoding,
      },
      noted: this.noted,
      otherKeys: this.otherKeys,
      charsets: {
        shift: sets.glevel,
        sets: [0, 1, 2, 3].map((n) => this.charset(sets._charsets[n])),
        active: this.charset(sets.charset),
      },
      title: input._windowTitle,
      icon: input._iconName,
      titles: input._windowTitleStack.slice(),
      icons: input._iconNameStack.slice(),
      colours: this.colours,
      directory: this.directory,
      marks: this.marks.filter((mark) => mark.line.line >= 0)
        .map((mark) => [mark.line.line, mark.x, mark.data]),
      parser: parser.currentState,
      unfinishedBytes: unfinished(this.tail),
      repeats: parser.precedingJoinState !== 0,
      bells: this.bells,
      answers: this.answers,
    };
    dump.attributes = [...table.keys()].map((key) => JSON.parse(key));
    return dump;
  }
}

const operations = {
  new(request) {
    terminals.set(request.id, new Judge(request));
    return null;
  },
  write(request) {
    terminals.get(request.id).write(request.data);
    return null;
  },
  resize(request) {
    terminals.get(request.id).term.resize(request.cols, request.rows);
    return null;
  },
  dump(request) {
    return terminals.get(request.id).dump(request.history);
  },
  answers(request) {
    return terminals.get(request.id).answers;
  },
  close(request) {
    terminals.get(request.id).term.dispose();
    terminals.delete(request.id);
    return null;
  },
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = { ok: operations[request.op](request) };
  } catch (error) {
    answer = { error: String(error.stack || error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
});
