# SPDX-License-Identifier: BSD-2-Clause
"""For tests/bench/boot: from power-on through SeaBIOS, and reading disks by what firmware and kernels have for them."""
import os
import time

import media
import support
from console import Guest

READ_MIB, PIO_MIB = 128, 16
_made = {}


def _image(name, make):
    if name not in _made:
        _made[name] = os.path.join(support.WORK, name)
        make(_made[name])
    return _made[name]


def _data_disk():
    def make(path):
        block = os.urandom(1 << 20)
        with open(path, 'wb') as f:
            for i in range(READ_MIB):
                f.write(i.to_bytes(4, 'little') + block[4:])
    return _image('bench-data', make)


def _drive(path):
    return ['-drive', 'file=%s,format=raw,if=ide,index=0,file.locking=off' % path]


def grub_prompt(argv):
    """GRUB's own prompt, on the serial console that SeaBIOS redirects to."""
    disk = _image('bench-grub', lambda path: media.mbr_disk(path, {}, '', size=16 << 20))
    with Guest(argv + ['-m', '64', '-nographic'] + _drive(disk)) as g:
        # The console's redirection puts cursor movements anywhere.
        g.expect(r'(?:\x1b\[[0-9;]*[A-Za-z])*'.join('grub>'), 120)
        return time.monotonic() - g.started


def init(argv):
    """SeaBIOS, GRUB, Debian's cloud kernel from the disk, to /init."""
    files = {'vmlinuz': support.kernel(), 'initrd': support.initrd()}
    config = 'linux /vmlinuz console=ttyS0\ninitrd /initrd\nboot\n'
    disk = _image('bench-linux', lambda path: media.mbr_disk(path, files, config))
    with Guest(argv + ['-m', '512', '-nographic'] + _drive(disk)) as g:
        g.expect('Run /init as init process', 300)
        return time.monotonic() - g.started


def _read(argv, mib, dma=True):
    mods = support.modules('amd64', 'ahci', 'ata_piix', 'crct10dif_generic', 'sd_mod')
    with Guest(argv + ['-m', '256', '-kernel', support.kernel('amd64'), '-initrd', support.initrd(*mods), '-append',
                       'console=ttyS0 quiet', '-nographic'] + _drive(_data_disk())) as g:
        g.login(300)
        for m in mods:
            g.run('insmod %s%s' % (os.path.basename(m), '' if dma or not m.endswith('libata.ko') else ' dma=0'))
        g.run('for i in $(seq 100); do [ -b /dev/sda ] && break; sleep .2; done; sleep 1')
        start = time.monotonic()
        status, said = g.run('dd if=/dev/sda of=/dev/null bs=1M count=%d' % mib, 600)
        support.check(status == 0, said)
        return time.monotonic() - start


CASES = [
    ('power-on to GRUB prompt', grub_prompt),
    ('power-on to init by SeaBIOS, GRUB', init),
    ('IDE DMA read, %d MiB' % READ_MIB, lambda argv: _read(argv + ['-M', 'pc'], READ_MIB)),
    ('IDE PIO read, %d MiB' % PIO_MIB, lambda argv: _read(argv + ['-M', 'pc'], PIO_MIB, dma=False)),
    ('AHCI read, %d MiB' % READ_MIB, lambda argv: _read(argv + ['-M', 'q35'], READ_MIB)),
]
