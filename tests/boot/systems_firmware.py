# SPDX-License-Identifier: BSD-2-Clause
"""Firmware: SeaBIOS and OVMF, what they find, and what they are told."""
import os

from support import Skip, check, evmm, evmm_fails
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


def test_bios_files():
    """-bios names what is wrong with its file."""
    names(evmm_fails('-bios', '/nonexistent/b'), '-bios', '/nonexistent/b')
    names(evmm_fails('-bios', made('bios-odd', size=65537)), 'bios-odd', 'multiple of 64 KiB')
    names(evmm_fails('-bios', made('bios-huge', size=32 << 20)), 'bios-huge', 'too many')
    names(evmm_fails('-bios', made('bios-empty')), 'bios-empty', 'empty')
    names(evmm_fails('-M', 'none', '-bios', made('bios-none', size=65536)), "'none' has no firmware")
