# SPDX-License-Identifier: BSD-2-Clause
"""Kernels that firmware starts (-kernel with -bios or flash)."""
import os

from support import WORK, check, evmm_fails, kernel, linux, linux_args, variants, vmlinux
from systems_firmware import need_seabios, ovmf
from systems_options import made, names

BIOS = ['-accel', 'soft', '-bios', 'bios-256k.bin']


@variants('pc')
def test_seabios_starts_the_kernel(board):
    """SeaBIOS boots -kernel before any disk; the kernel has its command line and initrd, and a BIOS beneath it."""
    need_seabios()
    disk = 'format=raw,file.locking=off,file=' + made('not-bootable', size=1 << 20)
    with linux(*BIOS, '-M', board, '-drive', disk, append='console=ttyS0 hello=bios') as g:
        check('SeaBIOS (version' in g.text, 'no SeaBIOS')
        check('hello=bios' in g.run('cat /proc/cmdline')[1], 'not the command line')
        check('SeaBIOS' in g.run('cat /sys/class/dmi/id/bios_vendor')[1], 'not the BIOS')


@variants('q35')
def test_ovmf_starts_the_kernel(board):
    """OVMF finds -kernel, -initrd and -append by itself."""
    args = linux_args(append='console=ttyS0 hello=efi')
    with ovmf(board, os.path.join(WORK, 'vars-kernel-' + board), *args) as g:
        g.login(240)
        check('hello=efi' in g.run('cat /proc/cmdline')[1], 'not the command line')
        check(g.run('test -d /sys/firmware/efi')[0] == 0, 'not started by UEFI')


def test_kernels_that_firmware_cannot_start():
    """What firmware cannot start is said before the guest runs."""
    need_seabios()
    names(evmm_fails(*BIOS, '-kernel', vmlinux()), '-kernel', 'bzImage')
    names(evmm_fails(*BIOS, '-kernel', made('no-kernel', b'MZ' + b'x' * 2000)), 'no-kernel', 'bzImage')
    names(evmm_fails(*BIOS, '-kernel', '/nonexistent/k'), '-kernel', '/nonexistent/k')
    names(evmm_fails(*BIOS, '-kernel', kernel(), '-initrd', '/nonexistent/i'), '-initrd', '/nonexistent/i')
    names(evmm_fails(*BIOS, '-m', '32', '-kernel', kernel()), '-kernel', 'RAM', '-m')
    names(evmm_fails(*BIOS, '-kernel', kernel(), '-append', 'x' * 5000), '-append', '5000')
    names(evmm_fails(*BIOS, '-kernel', kernel(), '-dtb', made('some-tree', b'x' * 64)), '-dtb', 'firmware')
