# SPDX-License-Identifier: BSD-2-Clause
"""Looks at a virtual machine's screen and types on its keyboard, through QMP. Works with evmm and with QEMU.

A Screen takes screendumps and turns them into text: each character cell is looked up among the glyphs of the font in
VGA's BIOS, and of others where its reader is told of them (Linux's frame buffer console has one in the kernel).
"""
import json
import os
import re
import socket
import time

from console import Ended, Timeout
import support

VGABIOS = '/usr/share/seabios/vgabios-stdvga.bin'
GLYPH_ROWS = 16
# What cells that no glyph fits become.
UNKNOWN = '\ufffd'


class Picture:
    """A raw PPM."""

    def __init__(self, path):
        data = open(path, 'rb').read()
        m = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', data)
        support.check(m, 'not a PPM: %r' % data[:20])
        self.width, self.height = int(m.group(1)), int(m.group(2))
        self.rgb = data[m.end():]
        support.check(len(self.rgb) == self.width * self.height * 3, 'a PPM of the wrong size')

    def row(self, x, y, n):
        """N pixels from (X, Y) on."""
        at = (y * self.width + x) * 3
        return self.rgb[at:at + n * 3]

    def pixel(self, x, y):
        return tuple(self.row(x, y, 1))

    def region(self, x, y, width, height):
        return [self.row(x, y + i, width) for i in range(height)]

    def colours(self):
        return set(self.rgb[i:i + 3] for i in range(0, len(self.rgb), 3))

    def difference(self, other, x=0, y=0, width=None, height=None):
        """The share of pixels of a region that differ from those of the picture OTHER."""
        width, height = width or self.width - x, height or self.height - y
        differ = 0
        for a, b in zip(self.region(x, y, width, height), other.region(x, y, width, height)):
            if a != b:
                differ += sum(a[i:i + 3] != b[i:i + 3] for i in range(0, len(a), 3))
        return differ / (width * height)


REGION = 32


def regions(picture):
    """The mean colour of each square of 32x32 pixels, as hexadecimal digits rgb; a line for each row of squares."""
    lines = []
    for y in range(0, picture.height // REGION * REGION, REGION):
        cells = []
        for x in range(0, picture.width // REGION * REGION, REGION):
            square = b''.join(picture.region(x, y, REGION, REGION))
            cells.append(''.join('%x' % (sum(square[c::3]) // (REGION * REGION * 16)) for c in range(3)))
        lines.append(' '.join(cells))
    return '\n'.join(lines)


def alike(a, b):
    """The share of regions that are about the same in two results of regions()."""
    a, b = a.split(), b.split()
    same = sum(all(abs(int(p, 16) - int(q, 16)) <= 1 for p, q in zip(m, n)) for m, n in zip(a, b))
    return same / max(len(a), len(b))


def load_font(path):
    """The 8x16 glyphs in a file, found by what block graphics are bound to look like: dots -> character."""
    rom = open(path, 'rb').read()
    def is_font(at):
        glyph = lambda c: rom[at + c * 16:at + c * 16 + 16]
        return (glyph(0x20) == bytes(16) and glyph(0xff) == bytes(16) and glyph(0xdb) == b'\xff' * 16 and
                glyph(0xdd) == b'\xf0' * 16 and glyph(0xde) == b'\x0f' * 16)
    at = rom.find(b'\xff' * 16 )
    while at >= 0 and not (at >= 0xdb * 16 and is_font(at - 0xdb * 16)):
        at = rom.find(b'\xff' * 16, at + 1)
    support.check(at >= 0, 'no font in ' + path)
    at -= 0xdb * 16
    font = {}
    # The lower codes last: of equal glyphs the plainer character is meant.
    for c in list(range(0x7f, 0x100)) + list(range(0x20)) + list(range(0x7e, 0x1f, -1)):
        char = bytes([c]).decode('cp437') if c >= 0x20 else '\u25aa'
        font[rom[at + c * 16:at + c * 16 + 16]] = char
    return font


class Reader:
    """Pictures of character cells as text."""

    def __init__(self, *files):
        self.font = {}
        for path in reversed(files):
            self.font.update(load_font(path))
        self.known = {}  # pixels of a cell -> character

    def nearest(self, dots):
        best, best_off = UNKNOWN, 9
        for glyph, char in self.font.items():
            off = sum(bin(a ^ b).count('1') for a, b in zip(glyph, dots))
            if off < best_off:
                best, best_off = char, off
        return best

    def cell(self, rows):
        """ROWS: 16 lines of 8 pixels."""
        key = b''.join(rows)
        if key in self.known:
            return self.known[key]
        pixels = [[row[i:i + 3] for i in range(0, 24, 3)] for row in rows]
        flat = [p for line in pixels for p in line]
        kinds = sorted(set(flat), key=flat.count)
        char = UNKNOWN
        if len(kinds) == 1:
            char = ' '
        elif len(kinds) == 2:
            dots = bytes(sum(0x80 >> i for i in range(8) if line[i] == kinds[0]) for line in pixels)
            inverted = bytes(~b & 0xff for b in dots)
            char = self.font.get(dots) or self.font.get(inverted) or self.nearest(dots)
        self.known[key] = char
        return char

    def text(self, picture):
        """A line for each row of cells. Cells are 8 pixels wide, or 9 where IBM's text mode has so many."""
        dots = 9 if picture.width == 720 else 8
        lines = []
        for y in range(0, picture.height - GLYPH_ROWS + 1, GLYPH_ROWS):
            lines.append(''.join(self.cell(picture.region(x, y, 8, GLYPH_ROWS))
                                 for x in range(0, picture.width - 7, dots)).rstrip())
        return '\n'.join(lines)


_readers = {}


def reader(*files):
    """The Reader of the fonts in FILES; VGA's BIOS is always one of them."""
    if files not in _readers:
        _readers[files] = Reader(VGABIOS, *files)
    return _readers[files]


# Keys by the character on them, of the US keyboard; capitals and the rest of the shifted ones are made of them.
KEYS = {' ': 'spc', '\n': 'ret', '\t': 'tab', '-': 'minus', '=': 'equal', '[': 'bracket_left', ']': 'bracket_right',
        ';': 'semicolon', "'": 'apostrophe', '`': 'grave_accent', '\\': 'backslash', ',': 'comma', '.': 'dot',
        '/': 'slash', '\x1b': 'esc'}
SHIFTED = dict(zip('_+{}:"~|<>?!@#$%^&*()', "-=[];'`\\,./1234567890"))


def key_of(char):
    if char in SHIFTED:
        return 'shift-' + key_of(SHIFTED[char])
    if char.isupper():
        return 'shift-' + char.lower()
    return KEYS.get(char, char)


class Screen:
    """The screen and the keyboard of GUEST, which was started with qmp_args(PATH)."""

    def __init__(self, guest, path, limit=20):
        self.guest = guest
        self.path = path
        self.dump = path + '.ppm'
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(limit)
        end = time.monotonic() + limit
        while True:
            try:
                self.sock.connect(path)
                break
            except OSError:
                if guest.proc.poll() is not None:
                    guest._pump(0)
                    raise Ended('ended at once: ' + guest.tail())
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self.file = self.sock.makefile('r')
        self.file.readline()
        self.command('qmp_capabilities')
        self.reader = reader()

    def command(self, name, **arguments):
        """One QMP command; what it returns."""
        self.sock.sendall(json.dumps({'execute': name, 'arguments': arguments}).encode() + b'\n')
        while True:
            line = self.file.readline()
            if not line:
                raise Ended('ended during %s; the console ends:\n%s' % (name, self.guest.tail()))
            answer = json.loads(line)
            support.check('error' not in answer, '%s: %s' % (name, line))
            if 'return' in answer:
                return answer['return']

    def hmp(self, line):
        return self.command('human-monitor-command', **{'command-line': line})

    def look(self, **how):
        self.command('screendump', filename=self.dump, **how)
        return Picture(self.dump)

    def text(self):
        return self.reader.text(self.look())

    def expect(self, pattern, limit=60):
        """Waits until the screen's text has PATTERN; the match."""
        rx = re.compile(pattern, re.M)
        end = time.monotonic() + limit
        while True:
            text = self.text()
            m = rx.search(text)
            if m:
                return m
            if time.monotonic() > end:
                raise Timeout('no /%s/ on the screen within %d s:\n%s' % (pattern, limit, text))
            self.guest._pump(0.3)

    def expect_picture(self, fits, limit=60):
        """Waits until FITS says so of the screen's picture."""
        end = time.monotonic() + limit
        while not fits(self.look()):
            if time.monotonic() > end:
                raise Timeout('not that picture within %d s; the screen is\n%s' % (limit, regions(self.look())))
            self.guest._pump(1)

    def press(self, *keys, hold=20):
        """Each of KEYS as sendkey names them, "ctrl-alt-f1"."""
        for key in keys:
            self.hmp('sendkey %s %d' % (key, hold))

    def shows(self, text, limit):
        """Waits until TEXT is on the screen, perhaps across the end of a line, or for LIMIT seconds."""
        end = time.monotonic() + limit
        while text not in self.text().replace('\n', '') and time.monotonic() < end:
            self.guest._pump(0.1)

    def type(self, text):
        """As a person does: no faster than it appears, for keyboards hold few keys that the guest hasn't asked for."""
        for line in text.splitlines(True):
            for at in range(0, len(line), 6):
                piece = line[at:at + 6]
                self.press(*[key_of(c) for c in piece])
                if piece.strip():
                    self.shows(piece.strip(), 5)

    def close(self):
        self.file.close()
        self.sock.close()


def qmp_args(path):
    return ['-qmp', 'unix:%s,server=on,wait=off' % path]


_count = [0]


class Shown:
    """With it: a guest of evmm (or of the VMM that ARGV0 names) with its Screen."""

    def __init__(self, *args, argv0=None):
        _count[0] += 1
        self.path = os.path.join(support.WORK, 'screen%d' % _count[0])
        self.argv = [argv0 or support.EVMM] + list(args) + qmp_args(self.path)

    def __enter__(self):
        from console import Guest
        self.guest = Guest(self.argv)
        try:
            self.screen = Screen(self.guest, self.path)
        except BaseException:
            self.guest.kill()
            raise
        return self.screen

    def __exit__(self, *exc):
        self.screen.close()
        self.guest.kill()
