# SPDX-License-Identifier: BSD-2-Clause
"""fio in a Debian system on every cache mode and aio engine, on images in ext4, in tmpfs and on a loop block device."""
import os
import shutil
import subprocess
import tempfile

from support import WORK, Skip, check
from systems_block import direct_works
from systems_debian import Debian

SIZE = 12 << 20
CACHES = ('writeback', 'none', 'writethrough', 'directsync', 'unsafe')
ENGINES = ('io_uring', 'threads', 'native')
# Random writes and reads, each block with a checksum that is verified; at the end all of it.
FIO = ('fio --name=t --directory=/mnt --size=1M --bs=%s --rw=%s --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_backlog=64 '
       '--ioengine=%s --iodepth=8 --end_fsync=1 %s --output-format=terse')
JOBS = (('4k', 'randwrite', 'libaio', '--direct=1'), ('1k-16k', 'randrw', 'psync', '--fsync=32'))


def run(*argv):
    r = subprocess.run(argv, capture_output=True, text=True)
    check(r.returncode == 0, '%s: %s' % (' '.join(argv), r.stdout + r.stderr))
    return r.stdout.strip()


def combinations(direct):
    for cache in CACHES:
        for aio in ENGINES:
            is_direct = cache in ('none', 'directsync')
            if (direct or not is_direct) and (is_direct or aio != 'native'):
                yield cache, aio


class Ext4:
    """Images in a file system of its own, in a file, mounted by a loop device."""
    what = 'ext4'

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='evmm-ext4.', dir=WORK)
        self.image = self.folder + '.image'
        with open(self.image, 'wb') as f:
            f.truncate(400 << 20)
        run('mkfs.ext4', '-q', self.image)
        run('mount', '-o', 'loop', self.image, self.folder)
        self.direct = direct_works(self.folder)

    def disk(self, n):
        return os.path.join(self.folder, 'disk%d' % n)

    def end(self):
        subprocess.run(['umount', self.folder])
        subprocess.run(['rm', '-rf', self.folder, self.image])


class Tmpfs:
    what = 'tmpfs'

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='evmm-fio.', dir='/dev/shm')
        self.direct = direct_works(self.folder)

    def disk(self, n):
        return os.path.join(self.folder, 'disk%d' % n)

    def end(self):
        subprocess.run(['rm', '-rf', self.folder])


class Loop:
    """Each disk is a loop block device."""
    what = 'loop device'
    direct = True

    def __init__(self):
        self.devices = []

    def disk(self, n):
        path = os.path.join(WORK, 'fio-loop%d' % n)
        with open(path, 'wb') as f:
            f.truncate(SIZE)
        self.devices.append(run('losetup', '-f', '--show', path))
        return self.devices[-1]

    def end(self):
        for device in self.devices:
            subprocess.run(['losetup', '-d', device])


def need(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        raise Skip('there is no ' + ', '.join(missing))


def loops_work():
    """Loop devices need root, and their driver."""
    path = os.path.join(WORK, 'probe')
    with open(path, 'wb') as f:
        f.truncate(1 << 20)
    r = subprocess.run(['losetup', '-f', '--show', path], capture_output=True, text=True)
    if r.returncode:
        raise Skip('losetup: ' + r.stderr.strip())
    run('losetup', '-d', r.stdout.strip())
    os.unlink(path)


def verify(places):
    more, names, paths = ['-device', 'virtio-scsi-pci,id=scsi'], [], []
    for place in places:
        for cache, aio in combinations(place.direct):
            n = len(paths)
            path = place.disk(n)
            if not isinstance(place, Loop):
                with open(path, 'wb') as f:
                    f.truncate(SIZE)
            run('mkfs.ext4', '-q', '-L', 'fio%d' % n, path)
            paths.append(path)
            names.append('%s, cache=%s, aio=%s' % (place.what, cache, aio))
            more += ['-drive', 'if=none,id=f%d,format=raw,file=%s%s,cache=%s,aio=%s,discard=unmap' %
                     (n, 'host_device:' if isinstance(place, Loop) else '', path, cache, aio)]
            # PCI has slots for half of them.
            more += ['-device', ('virtio-blk-pci,drive=f%d,serial=fio%d%s' % (n, n, ',packed=on' if n % 4 else '')) if n % 2 else
                     'scsi-hd,drive=f%d,bus=scsi.0,serial=fio%d' % (n, n)]
    with Debian('pc', ',cache=unsafe', 'virtio-blk-pci,drive=d', mods=('virtio_scsi', 'sd_mod'), more=more) as g:
        for n, name in enumerate(names):
            status, out = g.run('mount LABEL=fio%d /mnt' % n, 60)
            check(status == 0, '%s: %s' % (name, out))
            for job in JOBS:
                status, out = g.run(FIO % job, 300)
                check(status == 0, '%s: %s' % (name, out))
            status, out = g.run('umount /mnt', 60)
            check(status == 0, '%s: %s' % (name, out))
        status, out = g.run('dmesg | grep -E "I/O error|EXT4-fs (error|warning)"')
        check(not out, out)
    for name, path in zip(names, paths):
        r = subprocess.run(['/sbin/fsck.ext4', '-fn', path], capture_output=True, text=True)
        check(r.returncode == 0, '%s: %s' % (name, r.stdout))


def on(*kinds):
    places = []
    try:
        for kind in kinds:
            places.append(kind())
        verify(places)
    finally:
        for p in places:
            p.end()


def test_ext4_and_tmpfs():
    """What fio writes is read back, and the file systems are clean after, on images in ext4 and in tmpfs."""
    need('mkfs.ext4', 'losetup', 'mount')
    loops_work()
    on(Ext4, Tmpfs)


def test_loop_device():
    """The same on host_device: loop block devices."""
    need('mkfs.ext4', 'losetup')
    loops_work()
    on(Loop)
