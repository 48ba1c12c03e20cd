# SPDX-License-Identifier: BSD-2-Clause
"""Makes media that PCs boot from: a disk with a partition table and GRUB, a CD with isolinux."""
import os
import shutil
import struct
import subprocess

from support import WORK, Skip

GRUB = '/usr/lib/grub/i386-pc'
ISOLINUX = '/usr/lib/ISOLINUX/isolinux.bin'
LDLINUX = '/usr/lib/syslinux/modules/bios/ldlinux.c32'
SECTOR = 512
FIRST = 2048  # sector of the partition


def need(path, package):
    if not (os.path.exists(path) or shutil.which(path)):
        raise Skip('%s is not there (package %s)' % (path, package))
    return path


def run(*argv, **kw):
    r = subprocess.run(argv, capture_output=True, text=True, **kw)
    if r.returncode:
        raise AssertionError('%s: %s' % (' '.join(argv), r.stderr))


def fat(size, files):
    """A FAT file system of SIZE bytes with FILES, name -> path."""
    need('mformat', 'mtools')
    image = os.path.join(WORK, 'fat')
    with open(image, 'wb') as f:
        f.truncate(size)
    run('mformat', '-i', image, '-T', str(size // SECTOR), '-h', '16', '-s', '63', '-H', str(FIRST), '::')
    for name, path in files.items():
        run('mcopy', '-i', image, path, '::' + name)
    data = open(image, 'rb').read()
    os.unlink(image)
    return data


def mbr_disk(path, files, config, size=96 << 20):
    """A disk whose MBR starts GRUB; its one partition has FILES, and CONFIG is what GRUB does."""
    need('grub-mkimage', 'grub-common')
    boot = open(need(GRUB + '/boot.img', 'grub-pc-bin'), 'rb').read()
    early, core = os.path.join(WORK, 'early.cfg'), os.path.join(WORK, 'core.img')
    with open(early, 'w') as f:
        f.write('set root=(hd0,msdos1)\n' + config)
    run('grub-mkimage', '-O', 'i386-pc', '-o', core, '-p', '/', '-c', early, 'biosdisk', 'part_msdos', 'fat', 'linux',
        'serial', 'terminal', 'echo', 'test', 'ls', 'normal', 'minicmd', 'sleep', 'halt')
    partition = fat(size - FIRST * SECTOR, files)
    mbr = bytearray(SECTOR)
    mbr[:440] = boot[:440]
    # Active, FAT16 by LBA; CHS addresses that are beyond what they can say.
    mbr[446:462] = struct.pack('<B3sB3sII', 0x80, b'\xfe\xff\xff', 0x0e, b'\xfe\xff\xff', FIRST,
                               len(partition) // SECTOR)
    mbr[510:] = b'\x55\xaa'
    with open(path, 'wb') as f:
        f.write(mbr)
        f.write(open(core, 'rb').read())  # it finds its own rest behind its first sector
        f.seek(FIRST * SECTOR)
        f.write(partition)
    return path


def isolinux_cd(path, files, config):
    """A CD that isolinux boots, with FILES, name -> path, and CONFIG as its isolinux.cfg."""
    need('xorriso', 'xorriso')
    folder = os.path.join(WORK, 'iso')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder + '/isolinux')
    shutil.copy(need(ISOLINUX, 'isolinux'), folder + '/isolinux')
    shutil.copy(need(LDLINUX, 'syslinux-common'), folder + '/isolinux')
    for name, source in files.items():
        shutil.copy(source, os.path.join(folder, name))
    with open(folder + '/isolinux/isolinux.cfg', 'w') as f:
        f.write(config)
    run('xorriso', '-as', 'mkisofs', '-quiet', '-r', '-V', 'TEST', '-o', path, '-b', 'isolinux/isolinux.bin', '-c',
        'isolinux/boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', folder)
    shutil.rmtree(folder)
    return path
