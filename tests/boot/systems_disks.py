# SPDX-License-Identifier: BSD-2-Clause
"""Disks, CDs and floppies the old way: IDE, AHCI and the floppy controller, under Linux and under what boots from them."""
import hashlib
import os
import re
import subprocess
import time

from support import HERE, WORK, Skip, check, evmm, evmm_fails, initrd, kernel, modules, variants
from systems_options import made, names

def linux(board, *args, extra=(), files=(), options={}, wait_for='sda', mem='256', limit=180):
    """Debian's kernel with the modules for these disks loaded (OPTIONS has their parameters), at its shell."""
    mods = modules('amd64', 'ahci', 'ata_piix', 'crct10dif_generic', 'sd_mod', 'sr_mod', *extra)
    g = evmm('-M', board, '-m', mem, '-accel', 'soft', '-kernel', kernel('amd64'), '-initrd', initrd(*mods, *files),
             '-append', 'console=ttyS0 quiet', '-nographic', *args)
    try:
        g.login(limit)
        for m in map(os.path.basename, mods):
            status, out = g.run('insmod %s%s' % (m, options.get(m, '')), limit)
            check(status == 0, out)
        g.run('for i in $(seq 100); do [ -b /dev/%s ] && break; sleep .2; done' % wait_for, limit)
    except BaseException:
        g.kill()
        raise
    return g


def random_file(name, size):
    path = made(name)
    with open(path, 'wb') as f:
        f.write(os.urandom(size))
    return path


def digest(path):
    return hashlib.md5(open(path, 'rb').read()).hexdigest()


def check_disk(g, device, path):
    status, out = g.run('md5sum /dev/%s' % device)
    check(status == 0 and out.split()[0] == digest(path), '%s reads otherwise: %s' % (device, out))


def check_writing(g, device, path):
    """What the guest writes is in the file once it has been flushed."""
    status, out = g.run('dd if=/dev/urandom of=/dev/%s bs=1M seek=3 count=2 2>&1 && dd if=/dev/urandom of=/dev/%s '
                        'bs=512 seek=77 count=9 conv=notrunc 2>&1 && sync' % (device, device))
    check(status == 0, out)
    check_disk(g, device, path)


def no_errors(g):
    status, out = g.run('dmesg | grep -E " ata[0-9]|sd[a-z]|sr[0-9]|I/O error" | grep -i -E "error|fail|exception|timeout|frozen"')
    check(status == 1, out)


@variants('pc', 'q35')
def test_linux_reads_and_writes(board):
    """A disk by DMA (on q35 with queued commands) and a CD read as their images; what is written arrives."""
    disk, cd = random_file('disk-' + board, 12 << 20), random_file('cd-' + board, (2 << 20) + 2048)
    with linux(board, '-hda', disk, '-cdrom', cd, wait_for='sr0') as g:
        check_disk(g, 'sda', disk)
        check_disk(g, 'sr0', cd)
        check_writing(g, 'sda', disk)
        status, out = g.run('dmesg | grep -E "NCQ|MWDMA2|ATAPI"')
        check(('NCQ (depth 32)' in out) == (board == 'q35') and 'ATAPI: QEMU DVD-ROM' in out, out)
        no_errors(g)


@variants('pc', 'q35')
def test_linux_without_dma(board):
    """The same with the driver told to move everything by PIO."""
    disk, cd = random_file('pio-' + board, 6 << 20), random_file('piocd-' + board, 1 << 20)
    with linux(board, '-hda', disk, '-cdrom', cd, options={'libata.ko': ' dma=0'}, wait_for='sr0') as g:
        out = g.run('cat /sys/class/ata_device/dev1.0/xfer_mode')[1]
        check('PIO' in out, out)
        check_disk(g, 'sda', disk)
        check_disk(g, 'sr0', cd)
        check_writing(g, 'sda', disk)
        no_errors(g)


def disk_of(g, path):
    """The guest's name for the disk that has as many bytes as PATH: which is found first may change from boot to boot."""
    sectors = os.path.getsize(path) // 512
    out = g.run('for d in /sys/block/sd*; do [ "$(cat $d/size)" = %d ] && echo disk=${d##*/}; done' % sectors)[1]
    found = re.findall(r'^disk=(\w+)', out, re.M)
    check(len(found) == 1, out)
    return found[0]


def test_linux_four_drives():
    """Two disks by -device, with names of their own, and the places that they ask for."""
    one, two = random_file('one', 3 << 20), random_file('two', 5 << 20)
    with linux('pc', '-drive', 'if=none,id=d1,file=%s' % one, '-drive', 'if=none,id=d2,file=%s' % two,
               '-device', 'ide-hd,drive=d1,bus=ide.0,unit=1,serial=first,model=A Disk,ver=7',
               '-device', 'ide-hd,drive=d2,bus=ide.1,unit=1,serial=second,wwn=0x5000c50015ea71ac',
               wait_for='sdb') as g:
        first, second = disk_of(g, one), disk_of(g, two)
        check_disk(g, first, one)
        check_disk(g, second, two)
        out = g.run('cd /sys/block; cat %s/device/model %s/device/rev; cat %s/device/vpd_pg80 | tr -d "\\0"; cat %s/device/wwid'
                    % (first, first, first, second))[1]
        check(re.search(r'A Disk +\n7', out) and 'first' in out and 'naa.5000c50015ea71ac' in out, out)


def test_linux_floppy():
    """A floppy reads and writes by ISA DMA; a second drive is there, and has another size."""
    a, b = random_file('floppy-a', 1440 << 10), random_file('floppy-b', 720 << 10)
    with linux('pc', '-fda', a, '-fdb', b, extra=('floppy',), wait_for='fd1') as g:
        check_disk(g, 'fd0', a)
        check_disk(g, 'fd1', b)
        status, out = g.run('dd if=/dev/urandom of=/dev/fd0 bs=18k seek=3 count=2 2>&1 && sync')
        check(status == 0, out)
        check_disk(g, 'fd0', a)
        out = g.run('dmesg | grep -i floppy')[1]
        check('fd0 is 1.44M' in out or 'fd0 is 2.88M' in out, out)


CDROM = r"""
#include <fcntl.h>
#include <linux/cdrom.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int fd = open("/dev/sr0", O_RDONLY | O_NONBLOCK), ret = ioctl(fd, strtoul(argv[1], 0, 0), strtoul(argv[2], 0, 0));

	printf("ioctl %d\n", ret);
	return ret < 0;
}
"""


def test_linux_ejects_the_cd():
    """The guest opens the tray and closes it."""
    cd, tool = random_file('eject', 1 << 20), os.path.join(WORK, 'cdrom')
    with open(tool + '.c', 'w') as f:
        f.write(CDROM)
    if subprocess.run(['gcc', '-static', '-o', tool, tool + '.c'], capture_output=True).returncode:
        raise Skip('no C compiler that links statically')
    eject, close, status, options = '0x5309 0', '0x5319 0', '0x5326 0x7fffffff', '0x5321 0x1'
    with linux('pc', '-cdrom', cd, wait_for='sr0', files=[tool]) as g:
        check_disk(g, 'sr0', cd)
        g.run('./cdrom ' + options)  # reading closes no tray
        check(g.run('./cdrom ' + eject)[0] == 0, 'does not open')
        check('ioctl 2' in g.run('./cdrom ' + status)[1], 'the tray is not open')
        check(g.run('dd if=/dev/sr0 of=/dev/null count=1')[0] == 1, 'a CD in an open tray can be read')
        check(g.run('./cdrom ' + close)[0] == 0, 'does not close')
        check('ioctl 4' in g.run('./cdrom ' + status)[1], 'the disc is not there')
        check_disk(g, 'sr0', cd)


# ---- bad input ----

def test_odd_images():
    """Images of 0, 1, 511 and 1000 bytes and a sparse one of 3 TiB are disks of as many whole sectors."""
    sizes = [0, 1, 511, 1000, 3 << 40]
    args = []
    for i, size in enumerate(sizes):
        args += ['-drive', 'format=raw,if=none,id=d%d,file=%s' % (i, made('odd%d' % size, size=size)),
                 '-device', 'ide-hd,drive=d%d' % i]
    with linux('q35', '-nodefaults', '-serial', 'mon:stdio', *args, wait_for='sde') as g:
        out = g.run('sleep 2; for d in a b c d e; do cat /sys/block/sd$d/size 2>&1; done')[1]
        check(str(sizes[4] // 512) in out.split(), out)
        big = disk_of(g, os.path.join(WORK, 'odd%d' % sizes[4]))
        status, out = g.run('dd if=/dev/%s bs=512 skip=%d count=1 2>&1 | wc -c' % (big, sizes[4] // 512 - 1))
        check(status == 0, out)


def test_truncated_cd():
    """A CD whose image ends within a sector is readable to its end, and not beyond."""
    cd = random_file('short', 64 * 2048 + 700)
    with linux('q35', '-cdrom', cd, wait_for='sr0') as g:
        status, out = g.run('dd if=/dev/sr0 bs=2048 count=64 | md5sum; blockdev --getsize64 /dev/sr0')
        check(hashlib.md5(open(cd, 'rb').read()[:64 * 2048]).hexdigest() in out and str(65 * 2048) in out, out)
        no_errors(g)


def test_images_that_cannot_be():
    """What is wrong with a disk is told in one line that names the option and the file."""
    folder = os.path.join(WORK, 'folder')
    os.makedirs(folder, exist_ok=True)
    for option in '-hda', '-cdrom', '-fda':
        names(evmm_fails(option, '/nonexistent/d'), '/nonexistent/d', 'No such file')
        names(evmm_fails(option, folder), folder)
    disk = made('two-on-one', size=1 << 20)
    names(evmm_fails('-hda', disk, '-drive', 'file=%s,index=0' % disk), 'index=0', 'exists')
    drive = ['-drive', 'if=none,id=d,file=%s,format=raw' % disk, '-drive', 'if=none,id=e,file=null-co://']
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d,bus=ide.0,unit=0', '-device', 'ide-hd,drive=e,bus=ide.0,unit=0'),
          'ide-hd', 'unit 0', 'ide.0')
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d,bus=ide.7'), 'ide.7')
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d,unit=2'), 'ide-hd', 'unit')
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d', '-device', 'ide-hd,drive=d'), "'d'", 'in use')
    names(evmm_fails('-device', 'ide-hd'), 'ide-hd', 'drive')
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d,serial=' + 'x' * 21), 'serial', '20')
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d,cyls=5,heads=17,secs=63'), 'heads')
    names(evmm_fails(*drive, '-device', 'ide-hd,drive=d,bootindex=1', '-device', 'ide-cd,drive=e,bootindex=1'), 'bootindex')
    names(evmm_fails(*drive, '-device', 'floppy,drive=d,unit=2'), 'floppy', 'unit')
    names(evmm_fails(*drive, '-M', 'q35', '-device', 'floppy,drive=d'), 'floppy')
    names(evmm_fails('-M', 'q35', '-drive', 'if=ide,bus=0,unit=1,file=' + disk), 'unit')
    names(evmm_fails('-M', 'q35', '-drive', 'if=ide,index=6,file=' + disk), 'bus=6')
