# SPDX-License-Identifier: BSD-2-Clause
"""Power cuts: a guest's writes are logged, and each state in which its disk could have been left is looked at.

What the guest was told is saved is known from what it did next, not from the log: a program that waits for each fsync marks
its steps on the disk. EVMM_CUTS says how many times as much is written and looked at (1).
"""
import os
import random
import re
import shutil
import struct
import subprocess
import tempfile

from support import WORK, Skip, check
from systems_block import BLOCK, image, linux, stamp_block, static_program

TIMES = int(os.environ.get('EVMM_CUTS', 1))
STEPS = 160 * TIMES
SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4


def read_log(path):
    """(offset, bytes, flags) of each entry of a log in dm-log-writes' format."""
    entries = []
    with open(path, 'rb') as f:
        magic, version, n, sector = struct.unpack('<QQQI', f.read(28))
        check(magic == 0x6a736677736872 and version == 1, 'no log')
        at = sector
        for _ in range(n):
            f.seek(at)
            first, sectors, flags, size = struct.unpack('<QQQQ', f.read(32))
            f.seek(at + sector)
            entries.append((first * sector, f.read(size) if size else b'', flags))
            at += sector + (size + sector - 1) // sector * sector
    return entries


def logged(name, size, counted=4096, more=''):
    """Options for a virtio disk of SIZE whose writes are logged, counted after a flush and so many; the log's path."""
    log = image(name + '.log', 0)
    return log, ['-blockdev', 'driver=raw,node-name=%s,file.driver=blklogwrites,file.file.driver=file,file.file.filename=%s,'
                 'file.log.driver=file,file.log.filename=%s,file.log.locking=off,'
                 'file.log-super-update-interval=%d' % (name, image(name, size), log, counted),
                 '-device', 'virtio-blk-pci,drive=' + name + more]


def until_wrong(fn):
    """What is wrong, says a check; None: nothing."""
    try:
        fn()
    except AssertionError as e:
        return str(e)
    return None


# ---- a file system ----

FIRST, SIZE, MARKS = 1 << 20, 12 << 20, 13 << 20  # the partition with ext4, and the one with marks behind it
REPLACE, APPEND, OVERWRITE, REMOVE, REWRITE, FOLDER, KINDS = range(7)


class Model:
    """What tests/boot/fswork.c has in its folder after each step: a name's bytes; None for a folder."""

    def __init__(self):
        self.names, self.step = {}, 0

    def plan(self):
        """(kind, name, old bytes, new bytes) of the next step; no bytes: the name isn't there."""
        step = self.step + 1
        x = step * 2654435761 & 0xffffffff
        x = (x ^ x >> 15) * 0x85ebca6b & 0xffffffff
        x ^= x >> 13
        kind, size, slot = (x >> 20) % KINDS, 500 + (x >> 12) % 9000, (x >> 8) % 10
        name = ('sub%d' if kind == FOLDER else 'file%d') % slot
        if kind == FOLDER:
            return kind, name, None, None
        old = self.names.get(name)
        n = len(old or b'')
        if not n and kind in (OVERWRITE, REMOVE):
            kind = APPEND
        if n + size > 40000 and kind == APPEND:
            kind = REWRITE
        first = {APPEND: n, OVERWRITE: (x >> 4) % max(n, 1)}.get(kind, 0)
        if kind == OVERWRITE:
            size = min(size, n - first)
        new = bytes((step * 37 + i * 3 + (i >> 8) * 11) & 0xff for i in range(first, first + size))
        if kind == APPEND:
            new = (old or b'') + new
        elif kind == OVERWRITE:
            new = old[:first] + new + old[first + size:]
        elif kind == REMOVE:
            new = None
        return kind, name, old, new

    def go_on(self):
        kind, name, _, new = self.plan()
        self.step += 1
        if kind == FOLDER and name not in self.names:
            self.names[name] = None
        elif kind in (FOLDER, REMOVE):
            del self.names[name]
        else:
            self.names[name] = new

    def check(self, found, what):
        """FOUND is what the last step left, or something of what the next one does as well."""
        kind, changing, old, new = self.plan()
        for name in set(found) | set(self.names):
            where = '%s, after step %d: %s' % (what, self.step, name)
            if name == changing:
                continue
            if name == 'new':
                check(kind == REPLACE, where + ' is there')
                continue
            check(name in found, where + ' is missing')
            check(name in self.names, where + ' is there')
            check(found[name] == self.names[name], where + ' is not what was saved')
        where = '%s, in step %d (%d): %s' % (what, self.step + 1, kind, changing)
        if kind != FOLDER and changing not in found:
            check(old is None or new is None, where + ' is missing')
        elif kind != FOLDER:
            check(may_be(kind, old, new, found[changing]), where + ' is neither old nor new')


def may_be(kind, old, new, got):
    if got == old or got == new:
        return True
    if kind == APPEND:
        return len(got) >= len(old or b'') and new.startswith(got)
    if kind == REWRITE:
        return new.startswith(got)
    if kind == OVERWRITE and len(got) == len(old):
        return all(got[i:i + SECTOR] in (old[i:i + SECTOR], new[i:i + SECTOR]) for i in range(0, len(got), SECTOR))
    return False


class Cuts:
    """The partition with ext4 as a log of writes makes it, entry by entry."""

    def __init__(self, fresh, entries):
        self.entries, self.at, self.model = entries, 0, Model()
        self.now, self.saved = bytearray(fresh), bytearray(fresh)  # all writes so far; those that are safe alone
        self.loose = []  # the others
        self.folder = tempfile.mkdtemp(prefix='evmm-cuts.', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else WORK)
        self.steps = 0

    def next(self):
        """Takes the next entry in: True when it changes the file system or what is safe."""
        offset, data, flags = self.entries[self.at]
        self.at += 1
        if flags & FLUSH:
            for where, bytes_ in self.loose:
                self.saved[where:where + len(bytes_)] = bytes_
            self.loose = []
            return False
        if offset >= MARKS:
            step = struct.unpack_from('<I', data)[0] if data else 0
            while self.model.step < step:
                self.model.go_on()
            return True
        if flags & DISCARD or not FIRST <= offset < FIRST + SIZE:
            return False
        where = offset - FIRST
        self.now[where:where + len(data)] = data
        if flags & FUA:
            self.saved[where:where + len(data)] = data
        else:
            self.loose.append((where, data))
        return True

    def reordered(self, rng):
        """What is safe, and of the rest anything."""
        disk, share = bytearray(self.saved), rng.choice((0.1, 0.5, 0.9))
        for where, data in self.loose:
            for i in range(0, len(data), BLOCK):
                if rng.random() < share:
                    piece = data[i:i + BLOCK]
                    disk[where + i:where + i + len(piece)] = piece
        return disk

    def check(self, disk, how):
        """The journal recovers, the file system is sound, and has all that was saved."""
        what = '%s at %d of %d' % (how, self.at, len(self.entries))
        state, out = os.path.join(self.folder, 'state'), os.path.join(self.folder, 'out')
        with open(state, 'wb') as f:
            f.write(disk)
        r = subprocess.run(['e2fsck', '-fy', state], capture_output=True, text=True, env=dict(os.environ, LC_ALL='C'))
        # The superblock's sums are not in the journal; whoever mounts makes them anew.
        said = re.sub(r'Free (blocks|inodes) count wrong \(\d+, counted=\d+\)\.\nFix\? yes', '', r.stdout)
        check(r.returncode in (0, 1) and '? yes' not in said, '%s: e2fsck: %s%s' % (what, r.stdout, r.stderr))
        os.mkdir(out)
        try:
            r = subprocess.run(['debugfs', '-R', 'rdump / ' + out, state], capture_output=True, text=True)
            found = {}
            for name in os.listdir(out):
                path = os.path.join(out, name)
                found[name] = None if os.path.isdir(path) else open(path, 'rb').read()
            found.pop('lost+found', None)
            self.model.check(found, what)
        finally:
            shutil.rmtree(out)
        self.steps = self.model.step

    def end(self):
        shutil.rmtree(self.folder)


def every_prefix(cuts, rng, every):
    """Checks each state but those of EVERY - 1 out of EVERY; half as many reordered ones, when anything is loose."""
    n = 0
    while cuts.at < len(cuts.entries):
        if not cuts.next():
            continue
        n += 1
        if n % every == 0:
            cuts.check(cuts.now, 'cut')
        if n % (2 * every) == 0 and cuts.loose:
            cuts.check(cuts.reordered(rng), 'cut and reordered')
    return n


def make_ext4():
    fs = image('fresh', SIZE)
    subprocess.run(['mkfs.ext4', '-q', '-b', '4096', '-J', 'size=4', '-E', 'lazy_itable_init=0', fs], check=True)
    return open(fs, 'rb').read()


def partition(name, fresh):
    """FRESH is in the first of two partitions of the disk."""
    with open(os.path.join(WORK, name), 'r+b') as f:
        for i, (first, size) in enumerate(((FIRST, SIZE), (MARKS, 65536))):
            f.seek(446 + 16 * i)
            f.write(struct.pack('<IIII', 0, 0x83, first // SECTOR, size // SECTOR))
        f.seek(510)
        f.write(b'\x55\xaa')
        f.seek(FIRST)
        f.write(fresh)


def work_in_guest(g, disk, steps):
    status, out = g.run('mkdir -p /mnt && mount -t ext4 /dev/%s1 /mnt && /root/fswork /mnt /dev/%s2 %d; umount /mnt'
                        % (disk, disk, steps), 240)
    check(status == 0 and 'fswork: done' in out, out)


def log_without_flushes(g, disk):
    """The guest believes that what is written is safe at once: it tells the disk no more what must be."""
    status, out = g.run('echo "write through" > /sys/block/%s/queue/write_cache' % disk)
    check(status == 0, out)


def test_file_system():
    """From every state that a power cut may leave, ext4's journal recovers, and nothing that was saved is lost."""
    if subprocess.run(['which', 'mkfs.ext4', 'e2fsck', 'debugfs'], capture_output=True).returncode:
        raise Skip('e2fsprogs is not installed')
    good, args = logged('cut', MARKS + 65536)
    bad, more = logged('lying', MARKS + 65536, 1)
    fresh = make_ext4()
    partition('cut', fresh)
    partition('lying', fresh)
    with linux(*args, *more, files=(static_program('boot', 'fswork'),)) as g:
        work_in_guest(g, 'vda', STEPS)
        log_without_flushes(g, 'vdb')
        work_in_guest(g, 'vdb', 30)
        g.send('\x01x')
        g.wait()
    rng = random.Random(3)
    cuts = Cuts(fresh, read_log(good))
    try:
        n = every_prefix(cuts, rng, 1)
        check(n >= 4 * STEPS and cuts.steps == STEPS, 'only %d writes, %d steps' % (n, cuts.steps))
        with open(os.path.join(WORK, 'cut'), 'rb') as f:
            f.seek(FIRST)
            check(f.read(SIZE) == cuts.now, 'the log does not make the disk')
    finally:
        cuts.end()
    # And these checks see a disk that is not told what must be safe.
    cuts = Cuts(fresh, read_log(bad))
    try:
        check(until_wrong(lambda: every_prefix(cuts, rng, 4)), 'a disk without flushes passes')
    finally:
        cuts.end()


# ---- a disk of stamps ----

def stamps_of(data):
    """(block, generation) of a stamped block, or of zeroes: 0, 0."""
    check(all(data[i:i + 8] == data[:8] for i in range(0, len(data), SECTOR)), 'a block that was written in two')
    return struct.unpack_from('<II', data)


def batch_of(blocks):
    """For each generation, the last one of the batch before its own: tests/bench/diskwork.c flushed that."""
    before, last, seen, g = {}, 0, set(), 0
    while True:
        block = stamp_block(g + 1, blocks)
        if len(seen) == 16 or block in seen:
            last, seen = g, set()
        g += 1
        seen.add(block)
        before[g] = last
        yield before


def check_log_of_stamps(entries, blocks):
    """However a power cut sorts the writes between two flushes: no block is older than what the guest knows to be safe."""
    batches, before = batch_of(blocks), {}
    saved, loose, latest, told = {}, {}, {}, 0
    writes = 0
    for at, (offset, data, flags) in enumerate(entries):
        if flags & FLUSH:
            for block, generations in loose.items():
                saved[block] = generations[-1]
            loose = {}
            continue
        for i in range(0, len(data), BLOCK):
            block, generation = stamps_of(data[i:i + BLOCK])
            check(block == offset // BLOCK + i // BLOCK and generation, 'entry %d is no stamp' % at)
            while generation not in before:
                before = next(batches)
            # That this one is written says that all of the batch before it was flushed.
            for g in range(told + 1, before[generation] + 1):
                latest[stamp_block(g, blocks)] = g
            told = max(told, before[generation])
            if flags & FUA:
                saved[block] = generation
                loose.pop(block, None)
            else:
                loose.setdefault(block, []).append(generation)
            writes += 1
        for block, generation in latest.items():
            oldest = min([saved.get(block, 0)] + loose.get(block, [])) if block in loose else saved.get(block, 0)
            check(oldest >= generation, 'cut at %d of %d: block %d may have generation %d, %d was flushed'
                  % (at, len(entries), block, oldest, generation))
    return writes, told


def test_stamps():
    """At every prefix of a stream of batches and flushes, in any order that the flushes allow, what was flushed is there."""
    blocks = 64
    good, args = logged('stamps', blocks * BLOCK)
    through, more = logged('through', blocks * BLOCK, 64, ',write-cache=off')
    bad, most = logged('lyingstamps', blocks * BLOCK, 64)
    with linux(*args, *more, *most) as g:
        log_without_flushes(g, 'vdc')
        for disk, seconds in ('vda', 3 * TIMES), ('vdb', 2 * TIMES), ('vdc', 1):
            g.run('/root/diskwork stamp /dev/%s %d > /dev/null & sleep %d; kill $!; wait' % (disk, blocks, seconds), 60 + seconds)
        g.send('\x01x')
        g.wait()
    for log in good, through:
        writes, told = check_log_of_stamps(read_log(log), blocks)
        check(writes >= 100 and told >= 50, 'only %d writes, %d of them flushed' % (writes, told))
    check(until_wrong(lambda: check_log_of_stamps(read_log(bad), blocks)), 'a disk without flushes passes')
