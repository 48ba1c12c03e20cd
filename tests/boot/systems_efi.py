# SPDX-License-Identifier: BSD-2-Clause
"""What UEFI boots: systemd-boot and GRUB from a disk, and in which order it tries disks and CDs."""
import os

import media
from support import WORK, check, initrd, kernel, modules, variants
from systems_boot import UNLOCKED
from systems_firmware import ovmf
from systems_options import made

SYSTEMD_BOOT = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi'
REMOVABLE = 'EFI/BOOT/BOOTX64.EFI'


def entry(n):
    return made('entry%d.conf' % n, b'title Entry %d\nsort-key %d\nlinux /vmlinuz\ninitrd /initrd\noptions console=ttyS0 hello=entry%d\n' % (n, n, n))


def test_systemd_boot():
    """OVMF starts systemd-boot; an entry chosen as the default is in the variables, and boots Debian's kernel after a restart."""
    variables = os.path.join(WORK, 'vars-systemd-boot')
    disk = media.efi_disk(os.path.join(WORK, 'systemd-boot'), {
        REMOVABLE: media.need(SYSTEMD_BOOT, 'systemd-boot-efi'),
        'loader/loader.conf': made('loader.conf', b'timeout 60\ndefault entry1.conf\nauto-firmware no\n'),
        'loader/entries/entry1.conf': entry(1), 'loader/entries/entry2.conf': entry(2),
        'vmlinuz': kernel(), 'initrd': initrd()})
    with ovmf('q35', variables, '-m', '512', '-drive', UNLOCKED + disk) as g:
        g.expect('Entry 2', 120)
        g.expect('Boot in', 30)
        g.send('\x1b[B')
        g.send('d')
        g.expect('[Dd]efault', 30)
        g.send('\r')
        g.expect('Command line:.* hello=entry2', 120)
    with open(disk, 'r+b') as f:
        data = f.read().replace(b'timeout 60\n', b'timeout 0 \n')
        f.seek(0)
        f.write(data)
    with ovmf('q35', variables, '-m', '512', '-drive', UNLOCKED + disk) as g:
        g.expect('Command line:.* hello=entry2', 180)
        g.login(180)
        check(g.run('test -d /sys/firmware/efi')[0] == 0, 'not started by UEFI')


def test_grub_behind_a_port():
    """OVMF starts GRUB from a disk behind a PCI Express root port, and GRUB starts Debian's kernel, which finds that disk."""
    mods = modules('amd64', 'virtio_pci', 'virtio_blk')
    config = 'linux ($root)/vmlinuz console=ttyS0 quiet\ninitrd ($root)/initrd\nboot\n'
    loader = media.grub_efi('grub-linux', 'search --no-floppy --set=root --file /vmlinuz\n' + config, 'part_msdos', 'fat', 'linux', 'search', 'search_fs_file')
    disk = media.efi_disk(os.path.join(WORK, 'grub-efi'), {REMOVABLE: loader, 'vmlinuz': kernel('amd64'), 'initrd': initrd(*mods)})
    with ovmf('q35', os.path.join(WORK, 'vars-grub'), '-m', '512', '-device', 'pcie-root-port,id=port,chassis=1',
              '-drive', 'if=none,id=d,' + UNLOCKED + disk, '-device', 'virtio-blk-pci,drive=d,bus=port,bootindex=0') as g:
        g.login(240)
        for m in mods:
            g.run('insmod ' + os.path.basename(m))
        check(g.run('for i in $(seq 50); do [ -b /dev/vda1 ] && break; sleep .2; done; test -b /dev/vda1')[0] == 0, 'no disk')
        check(g.run('test -d /sys/firmware/efi')[0] == 0, 'not started by UEFI')


def efi_markers():
    """A disk and a CD, and another disk: each prints its letter."""
    loaders = {c: media.grub_efi('marker-' + c, 'echo "Booted %s!"\nsleep 60\n' % c) for c in 'ABCD'}
    disk = lambda c: media.efi_disk(os.path.join(WORK, 'efi-' + c), {REMOVABLE: loaders[c]}, 8 << 20)
    return {'A': disk('A'), 'B': disk('B'), 'C': media.efi_cd(os.path.join(WORK, 'efi-C'), {REMOVABLE: loaders['C']}), 'D': disk('D')}


@variants(('pc', 'CDAB', 'BCDA'), ('q35', 'ABCD', 'DABC'))
def test_efi_boot_order(board, *orders):
    """bootindex decides between an IDE or AHCI disk, a virtio disk, a CD and a SCSI disk under OVMF."""
    m = efi_markers()
    drives = []
    for letter, path in m.items():
        drives += ['-drive', 'if=none,id=%s,%s%s%s' % (letter, 'media=cdrom,' if letter == 'C' else '', UNLOCKED, path)]
    for order in orders:
        index = {c: ',bootindex=%d' % n for n, c in enumerate(order)}
        with ovmf(board, os.path.join(WORK, 'vars-order-' + order + board), *drives,
                  '-device', 'ide-hd,drive=A,bus=ide.0' + index['A'], '-device', 'virtio-blk-pci,drive=B' + index['B'],
                  '-device', 'ide-cd,drive=C,bus=ide.1' + index['C'], '-device', 'virtio-scsi-pci,id=s',
                  '-device', 'scsi-hd,drive=D,bus=s.0' + index['D']) as g:
            found = g.expect('Booted (.)!', 120).group(1)
            check(found == order[0], '%s came before %s' % (found, order[0]))


def test_what_uefi_does_not_know():
    """What -boot cannot mean under UEFI is said, a line each."""
    picture = made('splash.bmp', b'BM' + bytes(100))
    with ovmf('q35', os.path.join(WORK, 'vars-said'), '-S', '-boot',
              'order=dc,once=n,strict=on,menu=on,splash-time=100,reboot-timeout=1000,splash=' + picture) as g:
        for word in 'order=dc', 'strict=on', 'splash=', 'reboot-timeout=':
            g.expect('warning: -boot %s[^\n]*UEFI' % word, 10)
        check(g.text.count('warning:') == 4, g.text)
