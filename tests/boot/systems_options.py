# SPDX-License-Identifier: BSD-2-Clause
"""Bad input from the user: one clear line that names the option or file, exit status 1."""
import os
import subprocess

from support import EVMM, WORK, Skip, check, evmm_fails, initrd, kernel


def made(name, data=b'', size=None):
    path = os.path.join(WORK, name)
    with open(path, 'wb') as f:
        f.write(data)
        if size is not None:
            f.truncate(size)
    return path


def names(line, *words):
    for w in words:
        check(w in line, '%r does not say %r' % (line, w))


def test_kernel_files():
    """Missing, empty, truncated, huge, directories and other non-kernels are refused by name."""
    names(evmm_fails('-kernel', '/nonexistent/vmlinuz'), '/nonexistent/vmlinuz', 'No such file')
    head = open(kernel(), 'rb').read(1 << 20)
    for path in (made('empty'), made('one', b'x'), made('half', head), made('setup', head[:0x210]), made('zeros', size=1 << 20),
                 made('text', b'#!/bin/sh\n' * 1000), made('elf', b'\x7fELF' + bytes(60)), WORK,
                 made('sparse', size=64 << 30)):
        names(evmm_fails('-nographic', '-kernel', path), path)


def test_initrd():
    """An initrd that is missing or does not fit in RAM."""
    names(evmm_fails('-nographic', '-kernel', kernel(), '-initrd', '/nonexistent/i'), '/nonexistent/i')
    big = made('big', size=600 << 20)
    names(evmm_fails('-nographic', '-m', '512', '-kernel', kernel(), '-initrd', big), big)
    names(evmm_fails('-nographic', '-initrd', initrd()), '-initrd')
    names(evmm_fails('-nographic', '-append', 'x'), '-append')


def test_sizes_and_counts():
    """-m and -smp out of range."""
    for m in ('0', '1P', '-1', 'x', '1.2.3', '99999999999999999999'):
        names(evmm_fails('-nographic', '-m', m), '-m')
    for smp in ('0', '-1', '100000', 'x', '3,sockets=2,cores=2,threads=2', '2,maxcpus=1', '2,bogus=1'):
        names(evmm_fails('-nographic', '-smp', smp), '-smp')


def test_unknown_words():
    """Unknown options and values name the nearest known one."""
    names(evmm_fails('-kernal', 'x'), '-kernal', '-kernel')
    names(evmm_fails('-nographics'), '-nographic')
    names(evmm_fails('-M', 'pcc'), 'pcc')
    names(evmm_fails('-cpu', 'nosuchmodel'), 'nosuchmodel')
    names(evmm_fails('-accel', 'nosuchaccel'), 'nosuchaccel')
    names(evmm_fails('-device', 'isa-serail'), 'isa-serail', 'isa-serial')
    names(evmm_fails('-device', 'isa-debug-exit,iobas=1'), 'iobas', 'iobase')
    names(evmm_fails('-serial', 'bogus'), 'bogus')
    names(evmm_fails('-serial', 'file:/nonexistent/x'), '/nonexistent/x')
    names(evmm_fails('-d', 'bogus'), 'bogus')
    names(evmm_fails('-rtc', 'base=yesterday'), 'yesterday')
    names(evmm_fails('-m'), '-m')


def test_help():
    """-h, -version and the lists print to stdout and end with 0."""
    for args, word in ((['-h'], '-kernel'), (['-version'], 'evmm'), (['-M', '?'], 'pc'), (['-cpu', '?'], 'qemu64'),
                       (['-device', 'help'], 'isa-debug-exit'), (['-device', 'isa-serial,help'], 'iobase'),
                       (['-d', 'help'], 'guest_errors'), (['-accel', 'help'], 'soft'),
                       (['-drive', 'format=help'], 'blkdebug')):
        r = subprocess.run([EVMM] + args, capture_output=True, text=True, timeout=10)
        check(r.returncode == 0 and word in r.stdout, '%s: %r' % (args, (r.returncode, r.stdout, r.stderr)))


def test_kvm_says_what_is_missing():
    """-enable-kvm names what is missing: the device, or what is in its place."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        names(evmm_fails('-nographic', '-enable-kvm'), '/dev/kvm')
        return
    r = subprocess.run(['unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /dev/kvm && exec "$0" -nographic -enable-kvm', EVMM],
                       capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    if 'unshare:' in r.stderr or 'mount:' in r.stderr:
        raise Skip('/dev/kvm cannot be hidden: ' + r.stderr.strip())
    check(r.returncode == 1 and len(r.stderr.splitlines()) == 1, repr(r))
    names(r.stderr, 'evmm: ', '/dev/kvm')


