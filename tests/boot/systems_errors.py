# SPDX-License-Identifier: BSD-2-Clause
"""What goes wrong on the host's side of a disk: no space, errors, a file that shrinks, a host that does not answer, an image in use.

One Linux has sixteen disks: at each kind of controller one for each of werror=report, stop, enospc and ignore.
"""
import os
import re
import subprocess
import tempfile
import time

from console import Guest
from qtest import QTest
from support import EVMM, WORK, Skip, check, initrd, kernel, modules
from systems_block import diskwork, image
from systems_power import Session, qmp_args

MIB = 1 << 20
CONTROLLERS = ('virtio-blk', 'virtio-scsi', 'IDE', 'AHCI')
POLICIES = ('report', 'stop', 'enospc', 'ignore')
# Where each disk fails to write, and to read, and where it is slow. Nothing else touches these.
BAD_WRITE, BAD_READ, SLOW, WORKS, FULL = 4 * MIB, 5 * MIB, 6 * MIB, 2 * MIB, 3 * MIB
STALL_S = 33  # longer than Linux waits for a disk
SIZE = 64 << 10  # of each transfer


class Tmpfs:
    """A file system of little space, which is given and taken."""

    def __init__(self, size):
        self.path = tempfile.mkdtemp(prefix='evmm-full.')
        self.size = size
        r = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%d' % size, 'tmpfs', self.path],
                           capture_output=True, text=True)
        if r.returncode:
            os.rmdir(self.path)
            raise Skip('no file system can be mounted: ' + r.stderr.strip())

    def grow(self, more):
        self.size += more
        subprocess.run(['mount', '-o', 'remount,size=%d' % self.size, self.path], check=True)

    def fill(self):
        with open(self.path + '/filler', 'ab', buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def make_room(self):
        os.unlink(self.path + '/filler')

    def close(self):
        subprocess.run(['umount', '-l', self.path])
        os.rmdir(self.path)


class Disk:
    def __init__(self, n, folder):
        self.name, self.policy = '%s, %s' % (CONTROLLERS[n // 4], POLICIES[n % 4]), POLICIES[n % 4]
        self.id = 'd%d' % n
        self.sectors = 8 * MIB // 512 + 128 * n  # by which the guest finds it
        self.path = image(self.id, self.sectors * 512, folder)

    def rules(self):
        once = 'on' if self.policy == 'stop' else 'off'
        return [('write', BAD_WRITE, 5, once, 0), ('read', BAD_READ, 5, once, 0), ('read', SLOW, 0, 'on', STALL_S)]

    def args(self):
        opts = ['driver=raw,node-name=%s,file.driver=blkdebug,file.image.driver=file,file.image.filename=%s' % (self.id, self.path)]
        for i, (op, at, errno, once, seconds) in enumerate(self.rules()):
            opts.append(','.join('file.inject-error.%d.%s' % (i, o) for o in (
                'iotype=' + op, 'sector=%d' % (at // 512), 'errno=%d' % errno, 'once=' + once, 'delay-ns=%d' % (seconds * 10**9))))
        n = int(self.id[1:])
        device = ('virtio-blk-pci', 'scsi-hd,bus=scsi.0', 'ide-hd,bus=ide.%d,unit=%d' % (n % 4 // 2, n % 2),
                  'ide-hd,bus=ahci.%d' % (n % 4))[n // 4]
        read = 'report' if self.policy == 'enospc' else self.policy
        return ['-blockdev', ','.join(opts),
                '-device', '%s,drive=%s,werror=%s,rerror=%s' % (device, self.id, self.policy, read)]

    def bytes(self, at):
        with open(self.path, 'rb') as f:
            f.seek(at)
            return f.read(SIZE)


def start(disks, qmp, *files):
    paths = modules('amd64', 'ahci', 'ata_piix', 'crct10dif_generic', 'sd_mod', 'virtio_pci', 'virtio_blk', 'virtio_scsi')
    args = [a for d in disks for a in d.args()]
    # What evmm warns of would be between the guest's words.
    g = Guest(['sh', '-c', 'exec "$0" "$@" 2>' + os.path.join(WORK, 'errors.said'), EVMM,
               '-M', 'pc', '-m', '256', '-accel', 'soft', '-kernel', kernel('amd64'), '-initrd', initrd(*paths, *files),
               '-append', 'console=ttyS0 quiet', '-nographic', '-device', 'virtio-scsi-pci,id=scsi',
               '-device', 'ahci,id=ahci', *qmp, *args])
    try:
        g.login(180)
        for m in map(os.path.basename, paths):
            status, out = g.run('insmod ' + m, 60)
            check(status == 0, out)
        wanted = {d.sectors: d for d in disks}
        for _ in range(100):
            out = g.run('cd /sys/block; for b in *; do echo $b $(cat $b/size); done; cd /root', 60)[1]
            for line in out.split('\n'):
                name, size = line.split()
                if int(size) in wanted:
                    wanted.pop(int(size)).dev = name
            if not wanted:
                break
            time.sleep(0.2)
        check(not wanted, 'the guest does not see %s' % ', '.join(d.name for d in wanted.values()))
        g.run('head -c %d /dev/urandom > /tmp/data; md5sum < /tmp/data' % SIZE)
    except BaseException:
        g.kill()
        raise
    return g


def write(disk, at):
    return 'dd if=/tmp/data of=/dev/%s bs=%d seek=%d count=1 oflag=direct conv=notrunc 2>&1' % (disk.dev, SIZE, at // SIZE)


def read(disk, at):
    return 'dd if=/dev/%s of=/tmp/got bs=%d skip=%d count=1 iflag=direct 2>&1' % (disk.dev, SIZE, at // SIZE)


class Machine:
    """The guest, its QMP, and what it has in /tmp/data."""

    def __init__(self, g, q):
        self.g, self.q = g, q
        g.run('od -An -v -tx1 /tmp/data > /tmp/hex')
        self.data = bytes.fromhex(g.run('cat /tmp/hex | tr -d " \\n"', 60)[1])
        check(len(self.data) == SIZE, 'the data is %d bytes' % len(self.data))

    def event(self, disk, operation, action, nospace):
        e = self.q.event('BLOCK_IO_ERROR')
        got = (e['node-name'], e['operation'], e['action'], e.get('nospace', False))
        check(got == (disk.id, operation, action, nospace), '%s: BLOCK_IO_ERROR says %s' % (disk.name, e))

    def goes_through(self, disk, command, operation, nospace, mend=None):
        """The machine stops, says why, and with the cause gone the guest's request is done as if nothing had been."""
        self.g.send('%s; echo re""sult $?\n' % command)
        self.event(disk, operation, 'stop', nospace)
        self.q.event('STOP')
        check(self.q.status() == 'io-error', '%s: the status is %s' % (disk.name, self.q.status()))
        if mend:
            mend()
        self.q('cont')
        check(self.q.event('RESUME') is not None and self.g.expect(r'^(?:# )?result (\d+)', 60).group(1) == '0',
              '%s: the request failed after cont' % disk.name)

    def fails(self, disk, command, operation, nospace):
        status, out = self.g.run(command, 120)
        check(status, '%s: the guest is not told of an error: %s' % (disk.name, out))
        self.event(disk, operation, 'report', nospace)
        check(self.q.status() == 'running', disk.name + ': the machine has stopped')

    def is_ignored(self, disk, command, operation, nospace):
        status, out = self.g.run(command, 60)
        check(status == 0, '%s: the guest is told of an error: %s' % (disk.name, out))
        self.event(disk, operation, 'ignore', nospace)

    def works(self, disk):
        status, out = self.g.run(write(disk, WORKS) + ' && ' + read(disk, WORKS) + ' && cmp /tmp/data /tmp/got', 60)
        check(status == 0, '%s: it does not work: %s' % (disk.name, out))
        self.q.status()  # all that was told before is here with its answer
        self.q.events.clear()


def no_space(t, disk, fs):
    fs.fill()
    if disk.policy == 'report':
        t.fails(disk, write(disk, FULL), 'write', True)
        fs.make_room()
    elif disk.policy == 'ignore':
        t.is_ignored(disk, write(disk, FULL), 'write', True)
        fs.make_room()
    else:
        t.goes_through(disk, write(disk, FULL), 'write', True, fs.make_room)
        check(disk.bytes(FULL) == t.data, disk.name + ': what was written is not there')
    t.works(disk)


def bad_sectors(t, disk):
    for command, operation in (write(disk, BAD_WRITE), 'write'), (read(disk, BAD_READ), 'read'):
        if disk.policy == 'stop':
            t.goes_through(disk, command, operation, False)
        elif disk.policy == 'ignore':
            t.is_ignored(disk, command, operation, False)
        else:
            t.fails(disk, command, operation, False)
        t.works(disk)
    if disk.policy == 'stop':
        check(disk.bytes(BAD_WRITE) == t.data, disk.name + ': what was written is not there')


def shorter_file(t, disk):
    """What is beyond the file's end is an error; what is before it is there."""
    os.truncate(disk.path, 5 * MIB)
    t.fails(disk, read(disk, 7 * MIB), 'read', False)
    t.works(disk)
    # And once it is written to, it reads again.
    os.truncate(disk.path, disk.sectors * 512)
    status, out = t.g.run(write(disk, 7 * MIB) + ' && ' + read(disk, 7 * MIB) + ' && cmp /tmp/data /tmp/got')
    check(status == 0, '%s: %s' % (disk.name, out))


def host_that_does_not_answer(t, slow, others):
    """Linux loses patience with the IDE, AHCI and SCSI disks, resets them, and reads again; the others go on."""
    begin = time.monotonic()
    for i, disk in enumerate(slow):
        t.g.send('(%s; echo slow%d-re""sult $?) &\n' % (read(disk, SLOW).replace('/tmp/got', '/dev/null'), i))
    for disk in others:
        t.works(disk)
    inflight = [b for b in t.q('query-blockstats') if b.get('node-name') in [d.id for d in slow]]
    check(len(inflight) == len(slow), 'query-blockstats has %d of the slow disks' % len(inflight))
    check(time.monotonic() - begin < STALL_S, 'it took too long to see anything')
    at = t.g.seen
    for i, disk in enumerate(slow):
        t.g.seen = at
        m = t.g.expect(r'^(?:# )?slow%d-result (\d+)' % i, 150)
        check(m.group(1) == '0', '%s: the slow read failed' % disk.name)
    check(time.monotonic() - begin >= STALL_S, 'nothing was slow')
    table = t.q('human-monitor-command', **{'command-line': 'info loop'})
    longest = re.findall(r'^(\S+) +\d+ +\d+ +\d+ +(\d+)\s*$', table, re.M)
    check(len(longest) > 5, table)
    for name, us in longest:
        check(name in ('loop', 'sleep') or int(us) < 10**7, '%s held the loop for %s us' % (name, us))
    for disk in slow:
        t.works(disk)


def test_guest():
    """Each kind of disk, with each werror= and rerror=: a full file system, bad sectors, a shorter file, a host that stalls for 33 s."""
    fs = Tmpfs(16 * MIB)
    path, qmp = qmp_args('errors')
    try:
        disks = [Disk(n, fs.path) for n in range(16)]
        with start(disks, qmp) as g:
            t = Machine(g, Session(path))
            for disk in disks:
                t.works(disk)
            for disk in disks:
                no_space(t, disk, fs)
                bad_sectors(t, disk)
            for disk in disks[::4]:
                shorter_file(t, disk)
            host_that_does_not_answer(t, disks[::4], disks[3::4])
        said = open(os.path.join(WORK, 'errors.said')).read()
        for disk in disks[::4]:
            check("'%s' is shorter" % disk.path in said, '%s: nobody is warned: %s' % (disk.name, said))
        check('the host has not answered a request for' in said, 'nobody is warned of the stall: ' + said)
    finally:
        fs.close()


class PlainDisk(Disk):
    def rules(self):
        return []


def test_load():
    """Many requests at once run into a full file system again and again: none is lost, and a reset of the stopped machine works."""
    fs = Tmpfs(2 * MIB)
    path, qmp = qmp_args('load')
    try:
        disks = [PlainDisk(n, fs.path) for n in (2, 6, 10, 14)]
        with start(disks, qmp, diskwork()) as g:
            q = Session(path)
            for disk in disks:
                g.send('/root/diskwork verify /dev/%s 400 32 5; echo re""sult $?\n' % disk.dev)
                stops, end = 0, time.monotonic() + 120
                # It may stop at any moment of a round.
                while time.monotonic() < end and not re.search(r'^(?:# )?result \d', g.text[g.seen:], re.M):
                    g._pump(0.05)
                    if q.status() == 'io-error':
                        stops += 1
                        fs.grow(MIB)
                        q('cont')
                check(g.expect(r'^(?:# )?result (\d+)', 60).group(1) == '0', disk.name + ': ' + g.tail(300))
                check(stops >= 3, '%s: only %d stops' % (disk.name, stops))
            for disk in disks:
                os.truncate(disk.path, 0)
                os.truncate(disk.path, disk.sectors * 512)
            fs.fill()
            q.status()
            q.events.clear()
            for disk in disks:
                g.send('dd if=/dev/zero of=/dev/%s bs=1M count=4 &\n' % disk.dev)
            q.event('STOP')
            check(q.status() == 'io-error', q.status())
            q('system_reset')
            q.event('RESET')
            fs.make_room()
            fs.grow(40 * MIB)
            q('cont')
            g.login(120)
    finally:
        fs.close()


FLASH = (1 << 32) - (128 << 10)  # the second flash of 64 KiB, below the first


def erase(q, block):
    q.writeb(FLASH + block * 4096, 0x20)
    q.writeb(FLASH + block * 4096, 0xd0)


def test_flash():
    """Firmware's variables on a full file system: the machine stops and says so; with room made, cont loses nothing that was stored."""
    fs = Tmpfs(MIB)
    path, qmp = qmp_args('flash')
    try:
        code, store = image('code', 64 << 10), image('vars', 64 << 10, fs.path)
        fs.fill()
        with QTest('-M', 'pc', '-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=' + code,
                   '-drive', 'if=pflash,format=raw,unit=1,file=' + store, *qmp) as t:
            q = Session(path)
            erase(t, 1)
            check(t.readb(FLASH + 4096) == 0x80, 'the status is %#x' % t.readb(FLASH + 4096))
            e = q.event('BLOCK_IO_ERROR')
            check((e['operation'], e['action'], e['nospace']) == ('write', 'stop', True), str(e))
            q.event('STOP')
            check(q.status() == 'io-error', q.status())
            # Once more without room: it stops again.
            q('cont')
            q.event('STOP')
            check(q.status() == 'io-error', q.status())
            # What comes meanwhile waits behind it.
            erase(t, 3)
            t.writeb(FLASH + 3 * 4096 + 5, 0x10)
            t.writeb(FLASH + 3 * 4096 + 5, 0x42)
            # A reset forgets nothing of it.
            q('system_reset')
            q.event('RESET')
            check(not any(open(store, 'rb').read()), 'something was written')
            fs.make_room()
            q('cont')
            q.event('RESUME')
            check(q.status() == 'running', q.status())
            want = bytearray(64 << 10)
            want[4096:8192] = want[12288:16384] = b'\xff' * 4096
            want[12288 + 5] = 0x42
            end = time.monotonic() + 30
            while open(store, 'rb').read() != want and time.monotonic() < end:
                time.sleep(0.05)
            check(open(store, 'rb').read() == want, 'what was stored is not in the file')
            # The end is not held up by what cannot be written.
            fs.fill()
            erase(t, 9)
            q.event('BLOCK_IO_ERROR')
            check(t.close() == 0, 'it does not end well')
    finally:
        fs.close()


def refused(call, *args, **arguments):
    try:
        call(*args, **arguments)
    except AssertionError as e:
        return str(e)
    raise AssertionError('%s was taken' % (args,))


def test_locks():
    """Whoever has an image that is wanted is named, at start and while the guest runs, and the command alone waits for that."""
    user, reader = image('used', MIB), image('written', MIB)
    path, qmp = qmp_args('locks')
    node = ['-blockdev', 'driver=file,node-name=n,filename=']
    with QTest('-M', 'pc', *node[:-1], node[-1] + user, '-device', 'virtio-blk-pci,drive=n') as a, \
            QTest('-M', 'pc', *node[:-1], node[-1] + reader) as b, QTest('-M', 'pc', '-device', 'ide-cd,id=cd', *qmp) as t:
        has_it = 'in use by process %d (evmm)'
        r = subprocess.run([EVMM, '-accel', 'qtest', '-display', 'none', '-drive', 'format=raw,file=' + user],
                           capture_output=True, text=True, timeout=60)
        check(r.returncode == 1 and has_it % a.process.pid in r.stderr, 'at start: ' + r.stderr)
        q = Session(path)
        said = refused(q, 'blockdev-add', **{'driver': 'file', 'node-name': 'x', 'filename': user})
        check(has_it % a.process.pid in said, 'blockdev-add: ' + said)
        said = q('human-monitor-command', **{'command-line': 'drive_add 0 if=none,format=raw,id=y,file=' + user})
        check(has_it % a.process.pid in said, 'drive_add: ' + said)
        said = refused(q, 'blockdev-change-medium', id='cd', filename=user, **{'read-only-mode': 'read-write'})
        check(has_it % a.process.pid in said, 'blockdev-change-medium: ' + said)
        # Two may have it open until one wants to be alone in writing to it.
        q('blockdev-add', **{'driver': 'file', 'node-name': 'z', 'filename': reader})
        said = refused(q, 'device_add', driver='virtio-blk-pci', drive='z')
        check(has_it % b.process.pid in said, 'device_add: ' + said)
        said = q('human-monitor-command', **{'command-line': 'device_add virtio-blk-pci,drive=z'})
        check(has_it % b.process.pid in said, 'device_add for people: ' + said)
        b.close()
        end = time.monotonic() + 30
        while 'error' in q('human-monitor-command', **{'command-line': 'device_add virtio-blk-pci,id=v,drive=z'}).lower():
            check(time.monotonic() < end, 'the image is not free')
            time.sleep(0.1)
        check('v' in q('human-monitor-command', **{'command-line': 'info qtree'}), 'no disk was added')
