# SPDX-License-Identifier: BSD-2-Clause
"""What is on the screen, and what the keyboard and the mouse do to it."""
import os
import time

from screen import Shown, alike, reader, regions
from support import HERE, WORK, Skip, check, initrd, installer, kernel, modules, variants, vmlinux
from systems_firmware import need_seabios

QUIET = ['-accel', 'soft', '-display', 'none', '-serial', 'none', '-monitor', 'none']


def shown_linux(flavour, append, *extra, files=()):
    need_seabios()  # the font is in VGA's BIOS
    return Shown(*QUIET, '-m', '512', '-kernel', kernel(flavour), '-initrd', initrd(*files), '-append', append, *extra)


def answers(screen):
    """A command that is typed into the shell has its answer on the screen."""
    screen.type('echo $((6*7))-"Hello, World!"\n')
    screen.expect('^42-Hello, World!$', 30)


@variants('pc', 'q35')
def test_seabios(board):
    """SeaBIOS says on the screen what it does; after a reset again."""
    need_seabios()
    with Shown(*QUIET, '-M', board) as s:
        s.expect(r'^SeaBIOS \(version', 30)
        s.expect('^No bootable device', 30)
        picture = s.look()
        check((picture.width, picture.height) == (720, 400), '%dx%d' % (picture.width, picture.height))
        s.hmp('system_reset')
        s.expect(r'\A.*SeaBIOS[^~]*\nNo bootable device', 30)


@variants('isa-vga', 'bochs-display', 'ramfb', 'VGA')
def test_adapters(device):
    """Each adapter alone shows what SeaBIOS says; bochs-display and ramfb in their frame buffers."""
    need_seabios()
    with Shown(*QUIET, '-vga', 'none', '-device', device) as s:
        s.expect('^No bootable device', 30)
        check(s.look().width == ({'bochs-display': 1280, 'ramfb': 1024}.get(device, 720)), 'another size')


def test_two_adapters():
    """A second adapter has a screen of its own, chosen by its name."""
    need_seabios()
    with Shown(*QUIET, '-device', 'secondary-vga,id=second') as s:
        s.expect('^No bootable device', 30)
        other = s.look(device='second')
        check(len(other.colours()) == 1, 'the second screen is not blank')
        png = os.path.join(WORK, 'two.png')
        s.command('screendump', filename=png, device='second', format='png')
        check(open(png, 'rb').read(8) == b'\x89PNG\r\n\x1a\n', 'no PNG')


def test_linux_text():
    """Linux has its console in VGA's text mode, and reads the keyboard."""
    with shown_linux('cloud-amd64', 'console=tty0 quiet') as s:
        s.expect('^# ', 90)
        answers(s)
        s.type('stty size; clear\n')
        s.expect(r'\A# *$', 30)
        # The BIOS has left no other mode, and Linux no other font.
        check(s.look().width == 720, 'not the text mode')


@variants('0x303', '791', '0x115')
def test_linux_vesa(mode):
    """vga= gives a kernel that is started directly a frame buffer; its console is there."""
    size, depth = {'0x303': ('37 100', 8), '791': ('48 128', 16), '0x115': ('37 100', 24)}[mode]
    with shown_linux('amd64', 'console=tty0 quiet vga=' + mode) as s:
        s.reader = reader(vmlinux('amd64'))
        s.expect('^# ', 90)
        answers(s)
        s.type('stty size; cat /sys/class/graphics/fb0/name /sys/class/graphics/fb0/bits_per_pixel\n')
        s.expect(r'^%s\nVESA VGA\n%d$' % (size, depth), 30)


@variants('', ' vga=791')
def test_linux_after_suspension(mode):
    """The console is on the screen again when Linux that was started directly wakes, in text and in a frame buffer."""
    with shown_linux('amd64', 'console=tty0 quiet' + mode) as s:
        if mode:
            s.reader = reader(vmlinux('amd64'))
        s.expect('^# ', 90)
        size = s.look().width
        # Not while the key is still down: its release would wake it.
        s.type('sleep 1; echo mem >/sys/power/state; echo aw""ake\n')
        end = time.monotonic() + 60
        while s.command('query-status')['status'] != 'suspended':
            check(time.monotonic() < end, 'not suspended')
            time.sleep(0.1)
        s.hmp('system_wakeup')
        s.expect('^awake$', 60)
        check(s.look().width == size, 'another mode')
        answers(s)


def test_linux_bochs_drm():
    """Linux's driver takes the adapter, in the monitor's preferred mode; the mouse has a wheel, and events arrive."""
    files = modules('amd64', 'bochs', 'psmouse', 'evdev')
    load = os.path.join(WORK, 'load')
    open(load, 'w').write(''.join('insmod %s\n' % os.path.basename(f) for f in files))
    with shown_linux('amd64', 'console=tty0 quiet', files=files + [load]) as s:
        s.reader = reader(vmlinux('amd64'))
        s.expect('^# ', 90)
        s.type('sh load; clear; stty size\n')
        s.expect('^50 160$', 60)
        picture = s.look()
        check((picture.width, picture.height) == (1280, 800), '%dx%d' % (picture.width, picture.height))
        answers(s)
        s.type('grep -o "ImExPS/2.*Mouse" /proc/bus/input/devices\n')
        s.expect('^ImExPS/2 Generic Explorer Mouse$', 30)
        s.type('clear; (sleep 1; echo ready) & od -A n -t d1 -N 9 /dev/input/mice\n')
        s.expect('^ready$', 30)
        s.hmp('mouse_move 5 7')
        s.hmp('mouse_button 1')
        s.hmp('mouse_button 0')
        # Flags and buttons, right, up: moved, the left button down, and up.
        s.expect(r'^ +40 +5 +-7 +9 +0 +0 +8 +0 +0$', 30)
        # From the frame buffer's mode back to text, by a reset.
        s.type('reboot -f\n')
        s.expect_picture(lambda p: p.width == 720, 60)
        s.reader = reader()
        s.expect('^# ', 90)
        answers(s)


def shown_installer(kind, append):
    need_seabios()
    folder = installer(kind)
    return Shown(*QUIET, '-m', '1024', '-kernel', os.path.join(folder, 'linux'), '-initrd',
                 os.path.join(folder, 'initrd.gz'), '-append', append)


def test_installer_text():
    """Debian's installer asks for the language, in text, and goes on with what is typed."""
    with shown_installer('text', 'vga=normal fb=false nomodeset quiet') as s:
        s.expect('Select a language', 120)
        s.expect('English +- +English', 10)
        s.press('ret')
        s.expect('Select your location', 60)
        s.expect('United Kingdom', 10)


def test_installer_graphics():
    """Debian's installer shows its first page on bochs-drm's frame buffer, as it does on QEMU's screen."""
    want = open(os.path.join(HERE, 'installer-gtk.regions')).read()
    with shown_installer('gtk', 'vga=788 quiet') as s:
        s.expect_picture(lambda p: p.width == 1280 and alike(regions(p), want) > 0.97, 150)


def test_memtest():
    """Memtest86+ passes over all memory without an error. (Not its bit fade test: that waits for minutes.)"""
    need_seabios()
    image = '/boot/memtest86+x64.bin'
    if not os.path.exists(image):
        raise Skip(image + ' is not there (package memtest86+)')
    with Shown(*QUIET, '-m', '8', '-kernel', image) as s:
        s.expect('Testing: .', 30)
        for key, then in (('f1', 'Settings:'), ('f1', 'Test Selection:'), ('f2', 'Enter test #')):
            s.press(key)
            s.expect(then, 20)
        s.press('1', '0', 'ret')
        s.expect(r'\*\*\.$', 20)
        s.press('f10')
        s.expect('Settings:', 20)
        s.press('f10')
        s.expect('Pass: +1 +Errors: 0', 120)
