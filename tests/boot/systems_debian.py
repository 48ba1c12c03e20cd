# SPDX-License-Identifier: BSD-2-Clause
"""A Debian system on a virtio disk: systemd to a login prompt, fio's checks of what it wrote, a clean file system after."""
import os
import subprocess

from console import Guest
from support import EVMM, HERE, WORK, Skip, check, initrd, kernel, modules, variants

# The serial console, and nothing between the kernel and the login prompt that would take long.
APPEND = 'console=ttyS0 rdinit=/root/switch systemd.show_status=0 systemd.mask=systemd-timesyncd.service'
FIO = ('fio --name=t --directory=/root --size=12M --bs=%s --rw=%s --verify=crc32c --verify_fatal=1 --do_verify=1 '
       '--end_fsync=1 --ioengine=%s --iodepth=16 %s --output-format=terse')


def debian():
    r = subprocess.run([os.path.join(HERE, 'get-debian')], capture_output=True, text=True)
    if r.returncode:
        raise Skip('no Debian system: ' + r.stderr.strip()[-300:])
    return r.stdout.strip()


def has_board(board):
    listed = subprocess.run([EVMM, '-M', '?'], capture_output=True, text=True).stdout
    return any(line.split()[:1] == [board] for line in listed.splitlines())


class Debian:
    """With it: a guest logged in on a copy of the image."""

    def __init__(self, board, drive, device, disk='/dev/vda', mods=(), more=(), vmm=(EVMM, '-accel', 'soft'), smp=2):
        if not has_board(board):
            raise Skip('there is no board %s' % board)
        self.image = os.path.join(WORK, 'debian-%s' % board)
        subprocess.run(['cp', '--sparse=always', debian(), self.image], check=True)
        bus = 'virtio_mmio' if board == 'microvm' else 'virtio_pci'
        files = modules('cloud-amd64', bus, 'virtio_blk', *mods)
        names = ','.join(os.path.basename(f) for f in files)
        self.argv = [*vmm, '-M', board, '-m', '512', '-smp', str(smp), '-kernel', kernel(), '-initrd', initrd(*files), '-append',
                     '%s modules=%s disk=%s' % (APPEND, names, disk), '-nographic',
                     '-drive', 'if=none,id=d,format=raw,file=%s%s' % (self.image, drive), '-device', device, *more]

    def __enter__(self):
        self.g = Guest(self.argv)
        try:
            self.g.expect('login: ', 300)
            self.g.send('root\n')
            self.g.expect('# ', 120)
            # A shell without a line editor, in lines that don't wrap.
            self.g.send("stty cols 400; exec env TERM=dumb PS1='# ' sh\n")
            self.g.expect(r'2004l\s*# ', 60)
            self.g.run('dmesg -n 1', 60)
        except BaseException:
            self.g.kill()
            raise
        return self.g

    def __exit__(self, kind, *exc):
        if kind:
            self.g.kill()
            return
        self.g.send('poweroff\n')
        check(self.g.wait(120) == 0, 'exit status')
        r = subprocess.run(['/sbin/fsck.ext4', '-fn', self.image], capture_output=True, text=True)
        os.unlink(self.image)
        check(r.returncode == 0, r.stdout)


@variants(('pc', 'virtio-blk-pci,drive=d'), ('q35', 'virtio-blk-pci,drive=d,num-queues=2,packed=on'),
          ('microvm', 'virtio-blk-device,drive=d'))
def test_boots_and_keeps_its_data(board, device):
    """To the login prompt; two ways of writing at random are read back right; the file system is clean after."""
    with Debian(board, ',cache=none', device) as g:
        for engine, bs, rw, more in (('libaio', '4k', 'randwrite', '--direct=1'), ('psync', '1k-64k', 'randrw', '')):
            status, out = g.run(FIO % (bs, rw, engine, more), 300)
            check(status == 0, out)
        status, out = g.run('systemctl --failed --no-legend; dmesg | grep -E "I/O error|EXT4-fs (error|warning)"')
        check(not out, out)
