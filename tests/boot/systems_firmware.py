# SPDX-License-Identifier: BSD-2-Clause
"""Firmware: SeaBIOS and OVMF, what they find, and what they are told."""
import os
import shutil
import subprocess

from support import EVMM, WORK, Skip, check, evmm, evmm_fails, kernel, linux_args, modules, variants
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


@variants('pc', 'q35')
def test_ovmf_by_bios(board):
    """The whole of OVMF as -bios comes to its shell; its variables go with it."""
    image = need('/usr/share/ovmf/OVMF.fd', 'ovmf')
    with evmm('-accel', 'soft', '-M', board, '-m', '256', '-nographic', '-vga', 'none', '-bios', image) as g:
        shell(g)
        g.send('reset -s\r')
        check(g.wait(30) == 0, 'exit status')


def test_microvm():
    """Debian's kernel on a microvm finds its virtio devices by ACPI, says nothing of errors, and powers off."""
    mods = modules('amd64', 'virtio_mmio', 'virtio_blk', 'virtio_rng')
    disk = made('microvm-disk', b'evmm on a microvm', size=1 << 20)
    with evmm(*linux_args('-accel', 'soft', '-M', 'microvm,rtc=on', '-smp', '2',
                          '-drive', 'if=virtio,format=raw,file.locking=off,file=' + disk, '-device', 'virtio-rng-device',
                          image=kernel('amd64'), files=mods, mem='256')) as g:
        g.login(240)
        for m in mods:
            g.run('insmod ' + os.path.basename(m))
        g.run('for i in $(seq 50); do [ -b /dev/vda ] && break; sleep .2; done')
        check('evmm on a microvm' in g.run('dd if=/dev/vda bs=17 count=1 2>/dev/null')[1], 'not the disk')
        check(g.run('ls /sys/bus/virtio/devices | grep -c virtio')[1].strip() == '2', 'not two devices')
        # That there is no PCI is an error to this kernel.
        errors = g.run('dmesg -r | grep "^<[0-3]>" | grep -v "No config space access function"')[1]
        check(not errors, 'errors in the log: ' + errors)
        check(g.run('grep -c processor /proc/cpuinfo')[1].strip() == '2', 'not two processors')
        g.send('poweroff -f\n')
        check(g.wait(60) == 0, 'it did not power off')


def test_device_tree():
    """-machine dumpdtb= writes the microvm's device tree; what cannot be is said."""
    tree = os.path.join(WORK, 'microvm.dtb')
    r = subprocess.run([EVMM, '-accel', 'soft', '-M', 'microvm,dumpdtb=' + tree, '-nographic', '-kernel', kernel(),
                        '-append', 'hello=tree', '-device', 'virtio-rng-device'], capture_output=True, timeout=60)
    data = open(tree, 'rb').read()
    check(r.returncode == 0 and data[:4] == b'\xd0\x0d\xfe\xed', r.stderr)
    for word in b'hello=tree', b'virtio_mmio@feb00000', b'linux,microvm', b'cpu@0', b'ioapic@fec00000', b'ns16550a':
        check(word in data, '%r is not in the tree' % word)
    names(evmm_fails('-M', 'pc,dumpdtb=' + tree), "'pc-i440fx", 'no device tree')
    names(evmm_fails('-M', 'q35,rtc=on'), 'rtc=', 'microvm')
    names(evmm_fails('-M', 'microvm,dumpdtb=/nonexistent/t', '-kernel', kernel()), '/nonexistent/t')
    names(evmm_fails('-M', 'microvm', '-kernel', kernel(), '-dtb', made('no-tree', b'tree' * 20)), '-dtb', 'no-tree')
    names(evmm_fails('-M', 'microvm,isa-serial=maybe'), 'isa-serial', 'maybe')


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
