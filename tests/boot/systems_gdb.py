# SPDX-License-Identifier: BSD-2-Clause
"""gdb on a Debian kernel: its start, and while it runs on two CPUs."""
import os
import re
import tempfile
import time

from gdb import Gdb
from support import EVMM, WORK, Skip, check, evmm, linux_args, linux, variants, vmlinux

APPEND = 'console=ttyS0 nokaslr'
ENTRY = 0x1000000  # of Debian's vmlinux, physical

_symbols = {}


def socket_path():
    return os.path.join(tempfile.mkdtemp(dir=WORK), 'gdb')


def listening(path):
    return ['-gdb', 'unix:%s,server=on,wait=off' % path]


def said(g, command):
    return g.run(command, limit=120)[1]


def symbols(g):
    """Addresses of the running kernel's functions, as it tells them."""
    if not _symbols:
        names = 'start_kernel|__x64_sys_sethostname|jiffies_64|linux_banner'
        text = said(g, "grep -E ' (%s)$' /proc/kallsyms" % names)
        for address, name in re.findall(r'([0-9a-f]{16}) \w (\w+)', text):
            _symbols[name] = int(address, 16)
    return _symbols


def test_running_kernel():
    """Two CPUs: an interrupt, threads, a breakpoint in a system call, a watchpoint; a gdb that is killed; and the guest goes on."""
    path = socket_path()
    with linux('-smp', '2', *listening(path), append=APPEND, limit=240) as g:
        s = symbols(g)
        check('start_kernel' in s and 'jiffies_64' in s, 'no symbols: %r' % s)
        with Gdb(path) as d:
            threads = d('info threads')
            check('CPU#0' in threads and 'CPU#1' in threads, threads)
            check(d.number('$cs') in (0x10, 0x33), 'cs')
            banner = d('x/s %#x' % s['linux_banner'])
            check('Linux version' in banner, banner)
            d('break *%#x' % s['__x64_sys_sethostname'])
            d.start('continue')
            g.send('hostname stopped-here\n')
            stop = d.finish()
            check('hit Breakpoint 1' in stop, stop)
            check(d.number('$rip') == s['__x64_sys_sethostname'], 'stopped elsewhere')
            before = d.number('*(unsigned char *)$rip')
            d('stepi')
            check(d.number('$rip') != s['__x64_sys_sethostname'], 'no step')
            check(before != 0xcc, 'the breakpoint is seen')
            d('delete')
            d('watch *(unsigned long *)%#x' % s['jiffies_64'])
            stop = d('continue')
            check('Old value' in stop and 'New value' in stop, stop)
            d('delete')
            d.run()
            time.sleep(0.5)
            d.interrupt()
            stop = d.finish()
            check('SIGINT' in stop, stop)
            check('VM status: paused' in d('monitor info status'), 'monitor')
            d('thread 2')
            check('VM status' in d('monitor info status'), 'monitor')
            d('break *%#x' % s['__x64_sys_sethostname'])
            d('detach')
        check(said(g, 'hostname').strip().endswith('stopped-here'), 'the name was not set')
        with Gdb(path) as d:
            d('break *%#x' % s['__x64_sys_sethostname'])
            d.run()
            time.sleep(0.5)
            d.kill()
        g.run('hostname gdb-has-gone', limit=120)
        check(said(g, 'hostname').strip().endswith('gdb-has-gone'), 'the guest stands')


def test_kernel_start():
    """From -S: a breakpoint on code that is yet to be unpacked, steps, registers, memory, and the kernel's first C function."""
    vmlinux()  # the kernel is there, or the case is skipped
    path = socket_path()
    with evmm(*linux_args('-S', '-smp', '2', *listening(path), append=APPEND)) as g:
        for _ in range(200):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        with Gdb(path) as d:
            d('break *%#x' % ENTRY)
            stop = d('continue')
            check('Breakpoint 1' in stop and d.number('$rip') == ENTRY, stop)
            rip = ENTRY
            for _ in range(3):
                d('stepi')
                check(rip < d.number('$rip') < ENTRY + 0x40, 'no step')
                rip = d.number('$rip')
            check(d.number('$cr0') & 0x80000001 == 0x80000001 and d.number('$efer') & 0x400, 'no long mode')
            d('set $xmm3.uint128 = 0x1122334455667788')
            check(d.number('$xmm3.uint128') == 0x1122334455667788, 'xmm3')
            d('set $rax = 0x0123456789abcdef')
            check(d.number('$rax') == 0x0123456789abcdef and d.number('$eax') & 0xffffffff == 0x89abcdef, 'rax')
            d('maintenance packet Qqemu.PhyMemMode:1')
            check(d.number('*(unsigned char *)%#x' % ENTRY) != 0xcc, 'physical memory')
            d('maintenance packet Qqemu.PhyMemMode:0')
            if _symbols:
                d('hbreak *%#x' % _symbols['start_kernel'])
                stop = d('continue')
                check('Breakpoint 2' in stop and d.number('$rip') == _symbols['start_kernel'], stop)
                check('Linux version' in d('x/s %#x' % _symbols['linux_banner']), 'banner')
            d('detach')
        g.login(240)
        check(said(g, 'nproc').strip().endswith('2'), 'the second CPU is not there')


def hardware_kvm():
    """A KVM that is software itself traps for no debugger."""
    return re.search(r'^flags.* (vmx|svm)\b', open('/proc/cpuinfo').read(), re.M) is not None


@variants('soft', 'kvm')
def test_guest(accel):
    """A guest without a system: registers, memory, an interrupt; where the processor traps for it, breakpoints, steps, watchpoints."""
    if accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        raise Skip('/dev/kvm is not to be had')
    path = socket_path()
    image = os.path.join(os.path.dirname(EVMM), 'tests', 'guest', 'endless.elf')
    if not os.path.exists(image):
        raise Skip(image + ' is not built')
    g = evmm('-accel', accel, '-m', '64', '-nodefaults', '-display', 'none', '-kernel', image, '-device', 'isa-debug-exit,iobase=0xf4', '-S',
             *listening(path))
    try:
        with Gdb(path) as gdb:
            entry = gdb.number('$pc')
            check(gdb.number('*(unsigned char *)$pc') == 0xfc, 'there is no CLD at the entry')
            gdb.run()
            time.sleep(0.5)
            gdb.interrupt()
            said_ = gdb.finish()
            check('SIGINT' in said_, said_)
            counter = gdb.number('$ebp')
            check(0 < counter < 30000000 and entry < gdb.number('$pc') < entry + 64, 'ebp = %d' % counter)
            gdb('set var *(int *)0x700000 = 0x1234abcd')
            check(gdb.number('*(int *)0x700000') == 0x1234abcd, 'memory was not written')
            gdb('set var $ebp = 25000000')
            check(gdb.number('$ebp') == 25000000, 'a register was not written')
            if accel == 'soft' or hardware_kvm():
                traps(gdb, entry)
            gdb('detach')
        time.sleep(0.2)
        check(g.proc.poll() is None, 'the guest has not gone on')
    finally:
        g.kill()


def traps(gdb, entry):
    loop = entry + 12  # behind CLD, CLI and two MOVs
    for how in ('break', 'hbreak'):
        gdb('%s *%#x' % (how, loop))
        for _ in range(2):
            before = gdb.number('$ebp')
            text = gdb('continue')
            check('Breakpoint' in text or 'breakpoint' in text, text)
            check(gdb.number('$pc') == loop and gdb.number('$ebp') in (before, before - 1), 'not a round further')
        gdb('delete')
    pcs = []
    for _ in range(3):
        gdb('stepi')
        pcs.append(gdb.number('$pc'))
    check(pcs == [loop + 2, loop + 4, loop + 11], 'steps lead to %s' % [hex(p) for p in pcs])
    gdb('awatch *(unsigned short *)0x600000')
    for _ in range(2):
        text = gdb('continue')
        check('watchpoint' in text and gdb.number('$pc') == loop + 11, text)
    gdb('delete')
