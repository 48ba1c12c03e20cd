# SPDX-License-Identifier: BSD-2-Clause
"""Firmware: SeaBIOS and OVMF, what they find, and what they are told."""
import os
import shutil

from support import WORK, Skip, check, evmm, evmm_fails, variants
from systems_options import made, names


def need(path, package):
    if not os.path.exists(path):
        raise Skip('%s is not there (package %s)' % (path, package))
    return path


def need_seabios():
    return need('/usr/share/seabios/bios-256k.bin', 'seabios')


def test_seabios_on_the_console():
    """With no kernel given SeaBIOS runs, and shows itself on the serial console."""
    need_seabios()
    with evmm('-accel', 'soft', '-nographic') as g:
        g.expect(r'SeaBIOS \(version', 30)
        g.expect(r'Booting from', 30)


OVMF = '/usr/share/OVMF/OVMF_'


def ovmf(board, variables, *args):
    """A machine with UEFI firmware whose variables are in the file VARIABLES."""
    need(OVMF + 'CODE_4M.fd', 'ovmf')
    if not os.path.exists(variables):
        shutil.copy(OVMF + 'VARS_4M.fd', variables)
    return evmm('-accel', 'soft', '-M', board, '-m', '256', '-nographic', '-vga', 'none',
                '-drive', 'if=pflash,unit=0,format=raw,readonly=on,file=' + OVMF + 'CODE_4M.fd',
                '-drive', 'if=pflash,unit=1,format=raw,file.locking=off,file=' + variables, *args)


def shell(g):
    """UEFI's shell, without its wait for a script."""
    g.expect('Press .*ESC', 120)
    g.send('\x1b')
    g.expect('Shell> ', 60)


@variants('pc', 'q35')
def test_ovmf_shell(board):
    """OVMF reaches its shell from flash; a variable that is set there is still there after a restart."""
    variables = os.path.join(WORK, 'vars-' + board)
    with ovmf(board, variables) as g:
        shell(g)
        g.send('setvar evmmtest -guid 5e1f0b3c-6a52-4f7e-9d2b-0a8c1c3d5e7f -nv -bs =c0ffee\r')
        g.expect('Shell> ', 30)
        g.send('reset -s\r')
        check(g.wait(60) == 0, 'it did not power off')
    with ovmf(board, variables) as g:
        shell(g)
        g.send('setvar evmmtest -guid 5e1f0b3c-6a52-4f7e-9d2b-0a8c1c3d5e7f\r')
        g.expect('(?i)C0 FF EE', 30)


def test_flash_files():
    """-drive if=pflash names what is wrong with its file."""
    code = need(OVMF + 'CODE_4M.fd', 'ovmf')
    flash = 'if=pflash,format=raw,unit=%d,file='
    names(evmm_fails('-drive', flash % 0 + '/nonexistent/f'), '-drive', '/nonexistent/f')
    names(evmm_fails('-drive', flash % 0 + made('flash-odd', size=66048)), 'unit=0', '66048 bytes', 'multiple of 4096')
    names(evmm_fails('-drive', flash % 0 + made('flash-none')), 'unit=0', '0 bytes')
    names(evmm_fails('-drive', flash % 0 + made('flash-huge', size=9 << 20)), 'pflash', 'too many')
    names(evmm_fails('-drive', flash % 1 + made('flash-1', size=4096)), 'unit=1', 'no unit 0')
    names(evmm_fails('-bios', code, '-drive', flash % 0 + made('flash-1', size=4096)), '-bios', 'unit=0')
    names(evmm_fails('-machine', 'pflash0=nobody'), 'pflash0', 'nobody')


def test_bios_files():
    """-bios names what is wrong with its file."""
    names(evmm_fails('-bios', '/nonexistent/b'), '-bios', '/nonexistent/b')
    names(evmm_fails('-bios', made('bios-odd', size=65537)), 'bios-odd', 'multiple of 64 KiB')
    names(evmm_fails('-bios', made('bios-huge', size=32 << 20)), 'bios-huge', 'too many')
    names(evmm_fails('-bios', made('bios-empty')), 'bios-empty', 'empty')
    names(evmm_fails('-M', 'none', '-bios', made('bios-none', size=65536)), "'none' has no firmware")
