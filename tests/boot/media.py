# SPDX-License-Identifier: BSD-2-Clause
"""Makes media that PCs boot from: a disk with a partition table and GRUB, a CD with isolinux."""
import os
import shutil
import struct
import subprocess

from support import WORK, Skip

GRUB = '/usr/lib/grub/i386-pc'
GRUB_EFI = '/usr/lib/grub/x86_64-efi'
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
    """A FAT file system of SIZE bytes with FILES, name -> path; names may have folders."""
    need('mformat', 'mtools')
    image = os.path.join(WORK, 'fat')
    with open(image, 'wb') as f:
        f.truncate(size)
    run('mformat', '-i', image, '-T', str(size // SECTOR), '-h', '16', '-s', '63', '-H', str(FIRST), '::')
    made = set()
    for name, path in files.items():
        for n, c in enumerate(name):
            if c == '/' and name[:n] not in made:
                run('mmd', '-i', image, '::' + name[:n])
                made.add(name[:n])
        run('mcopy', '-i', image, path, '::' + name)
    data = open(image, 'rb').read()
    os.unlink(image)
    return data


def mbr_of(partition, kind):
    """A partition table with one partition, of that kind."""
    mbr = bytearray(SECTOR)
    # Active, by LBA; CHS addresses that are beyond what they can say.
    mbr[446:462] = struct.pack('<B3sB3sII', 0x80, b'\xfe\xff\xff', kind, b'\xfe\xff\xff', FIRST, len(partition) // SECTOR)
    mbr[510:] = b'\x55\xaa'
    return mbr


def efi_disk(path, files, size=96 << 20):
    """A disk with an EFI system partition that has FILES, name -> path."""
    partition = fat(size - FIRST * SECTOR, files)
    with open(path, 'wb') as f:
        f.write(mbr_of(partition, 0xef))
        f.seek(FIRST * SECTOR)
        f.write(partition)
    return path


def efi_cd(path, files):
    """A CD whose El Torito image for UEFI is a FAT file system with FILES."""
    need('xorriso', 'xorriso')
    folder = os.path.join(WORK, 'efi-iso')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(folder + '/efi.img', 'wb') as f:
        f.write(fat(4 << 20, files))
    run('xorriso', '-as', 'mkisofs', '-quiet', '-r', '-V', 'EFI', '-o', path, '-e', 'efi.img', '-no-emul-boot', folder)
    shutil.rmtree(folder)
    return path


def grub_efi(name, config, *modules):
    """GRUB as a UEFI program that does CONFIG; its path."""
    need('grub-mkimage', 'grub-common')
    need(GRUB_EFI, 'grub-efi-amd64-bin')
    early, image = os.path.join(WORK, 'early-efi.cfg'), os.path.join(WORK, name + '.efi')
    with open(early, 'w') as f:
        f.write(config)
    run('grub-mkimage', '-O', 'x86_64-efi', '-d', GRUB_EFI, '-o', image, '-p', '/', '-c', early, 'echo', 'minicmd', 'sleep', 'halt', *modules)
    return image


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
    mbr = mbr_of(partition, 0x0e)
    mbr[:440] = boot[:440]
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
