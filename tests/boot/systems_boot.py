# SPDX-License-Identifier: BSD-2-Clause
"""What PCs boot: GRUB from a floppy, a CD and a hard disk, isolinux; and in which order firmware tries them."""
import os
import re
import time

import media
from console import Timeout
from screen import Shown
from support import WORK, Skip, check, evmm, initrd, kernel, modules, variants
from systems_firmware import need_seabios

QUIET = ['-accel', 'soft', '-display', 'none', '-serial', 'none', '-monitor', 'none']
# Guests one after the other, or beside each other, have the same image: the kernel may hold the lock of one that was killed a little longer.
UNLOCKED = 'format=raw,file.locking=off,file='
RESCUE = '/usr/lib/grub-rescue/grub-rescue-'


def grub(*args):
    need_seabios()
    return Shown(*QUIET, '-m', '64', *args)


def say(s, line):
    """Types a command at GRUB's prompt. Keys of a guest that has been held up get lost: what is there is looked at first."""
    for tries in range(6):
        for c in line:
            s.type(c)
            time.sleep(0.02)
        try:
            s.expect('^grub> %s$' % re.escape(line), 5)
            break
        except Timeout:
            s.press('ctrl-a', 'ctrl-k')
    s.press('ret')


def prompt(s):
    for tries in range(4):
        s.press('c')
        try:
            s.expect('^grub> ', 8)
            return
        except Timeout:
            pass
    s.expect('^grub> ', 8)


@variants('pc', 'q35')
def test_grub_rescue_cd(board):
    """GRUB starts from a CD; commands that are typed have their answers on the screen, and read the CD."""
    cd = media.need(RESCUE + 'cdrom.iso', 'grub-rescue-pc')
    with grub('-M', board, '-drive', 'media=cdrom,' + UNLOCKED + cd) as s:
        s.expect('GNU GRUB +version', 60)
        prompt(s)
        say(s, 'ls')
        s.expect(r'\(cd\)', 20)
        say(s, 'clear')
        say(s, 'ls (cd)/boot/grub')
        s.expect('i386-pc/', 30)
        say(s, 'clear')
        say(s, 'ls -l (cd)')
        s.expect('Filesystem type iso9660 - Label `ISOIMAGE', 30)


def test_grub_rescue_floppy():
    """GRUB starts from a floppy, and reads it by the BIOS's floppy service."""
    with grub('-drive', 'if=floppy,readonly=on,' + UNLOCKED + media.need(RESCUE + 'floppy.img', 'grub-rescue-pc')) as s:
        s.expect('GNU GRUB +version', 90)
        prompt(s)
        say(s, 'clear')
        say(s, 'ls')
        s.expect(r'\(fd0\)', 30)
        say(s, 'clear')
        say(s, 'ls (fd0)/')
        s.expect('boot/', 30)
        say(s, 'reboot')
        s.expect('GNU GRUB +version', 90)


def linux_files(flavour, extra=()):
    mods = modules(flavour, 'ahci', 'ata_piix', 'crct10dif_generic', 'sd_mod', 'sr_mod') if flavour == 'amd64' else []
    return {'vmlinuz': kernel(flavour), 'initrd': initrd(*mods, *extra)}, mods


def at_prompt(g, mods, device):
    g.login(240)
    for m in mods:
        g.run('insmod ' + os.path.basename(m))
    g.run('for i in $(seq 100); do [ -b /dev/%s ] && break; sleep .2; done' % device)


_disks = {}


def linux_disk(extra=()):
    """A disk that GRUB boots Debian's kernel from, with the files EXTRA in /root; its path, and the modules that drive it."""
    key = tuple(extra)
    if key not in _disks:
        files, mods = linux_files('amd64', extra)
        path = os.path.join(WORK, 'mbr-disk%d' % len(_disks))
        media.mbr_disk(path, files, '''
echo loading
linux /vmlinuz console=ttyS0 quiet
initrd /initrd
boot
''')
        _disks[key] = path, mods
    return _disks[key]


@variants('pc', 'q35')
def test_mbr_disk(board):
    """SeaBIOS, GRUB from the disk's MBR, Debian's kernel: it finds the partition it came from."""
    need_seabios()
    disk, mods = linux_disk()
    with evmm('-accel', 'soft', '-M', board, '-m', '256', '-nographic', '-drive', UNLOCKED + disk) as g:
        g.expect('SeaBIOS', 30)
        at_prompt(g, mods, 'sda1')
        status, out = g.run('dd if=/dev/sda1 bs=512 count=1 2>/dev/null | grep -c FAT')
        check(status == 0 and out.strip() != '0', out)


def test_isolinux_cd():
    """isolinux loads Debian's kernel from a CD."""
    need_seabios()
    files, mods = linux_files('amd64')
    cd = media.isolinux_cd(os.path.join(WORK, 'isolinux.iso'), files,
                           'serial 0\ndefault linux\nlabel linux\n kernel /vmlinuz\n'
                           ' append initrd=/initrd console=ttyS0 quiet\n')
    with evmm('-accel', 'soft', '-m', '256', '-cdrom', cd, '-nographic') as g:
        g.expect('ISOLINUX', 60)
        at_prompt(g, mods, 'sr0')
        check('ISOLINUX' in g.run('dd if=/dev/sr0 bs=2k 2>/dev/null | grep -a -o -m 1 "ISOLINUX"')[1], 'not the CD')


def marker(name, letter):
    """A boot sector that prints a letter and stops."""
    code = bytes([0xb8, ord(letter), 0x0e, 0xbb, 7, 0, 0xcd, 0x10, 0xb0, ord('!'), 0xcd, 0x10, 0xfb, 0xf4, 0xeb, 0xfd])
    path = os.path.join(WORK, name)
    with open(path, 'wb') as f:
        f.write(code.ljust(510, b'\0') + b'\x55\xaa' + bytes((1440 << 10) - 512))
    return path


def test_boot_menu():
    """SeaBIOS offers its menu for as long as -boot says; a digit chooses what it boots from."""
    need_seabios()
    drives = []
    for name, letter in ('first', 'A'), ('second', 'B'):
        drives += ['-drive', 'if=ide,' + UNLOCKED + marker('menu-' + name, letter)]
    with grub(*drives, '-fda', marker('menu-floppy', 'F'), '-snapshot', '-boot', 'menu=on,splash-time=60000,order=c') as s:
        s.expect('Press ESC for boot menu', 30)
        s.press('esc')
        s.expect('Select boot device:', 30)
        for what in 'ata0-0', 'ata0-1', 'Floppy':  # it is drawn line by line
            s.expect(r'^\d\. .*' + what, 30)
        text = s.text()
        at = [re.search(r'^(\d)\. .*' + what, text, re.M) for what in ('ata0-0', 'ata0-1', 'Floppy')]
        check(all(at) and at[0].group(1) == '1', text)
        s.press(at[1].group(1))
        s.expect('^B!', 30)
        s.hmp('system_reset')
        # Not the one from before the reset, whose menu SeaBIOS has gone by: it forgets keys that came before it asks.
        s.expect(r'\A((?!B!)[\s\S])*Press ESC for boot menu((?!B!|Select)[\s\S])*\Z', 30)
        s.press('esc')
        s.expect('Select boot device:', 30)
        s.press(at[2].group(1))
        s.expect('^F!', 30)


@variants('pc', 'q35')
def test_boot_order(board):
    """-boot order= and bootindex decide between disks, on whatever they hang, and floppies."""
    need_seabios()
    a, b, f = marker('disk-a', 'A'), marker('disk-b', 'B'), marker('floppy-f', 'F')
    drives = []
    for name, path in ('a', a), ('b', b), ('f', f):
        drives += ['-drive', 'if=none,id=%s,%s%s' % (name, UNLOCKED, path)]
    floppy = ['-device', 'isa-fdc'] if board == 'q35' else []
    cases = [
        ('A', ',bootindex=1', ',bootindex=2', '', []),
        ('B', ',bootindex=3', ',bootindex=2', ',bootindex=4', []),
        ('F', ',bootindex=3', ',bootindex=2', ',bootindex=1', []),
        ('F', '', '', '', ['-boot', 'order=ac']),
        ('A', '', '', '', ['-boot', 'order=ca']),
    ]
    for letter, one, two, three, boot in cases:
        with evmm('-accel', 'soft', '-M', board, '-m', '32', '-nodefaults', '-nographic', '-serial', 'mon:stdio', *drives,
                  *floppy, '-device', 'ide-hd,drive=a,bus=ide.0' + one, '-device', 'ide-hd,drive=b,bus=ide.1' + two,
                  '-device', 'floppy,drive=f' + three, *boot) as g:
            g.expect(r'Booting from [^\n]*\n+%s!' % letter, 30)
