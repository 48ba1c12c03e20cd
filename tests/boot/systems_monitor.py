# SPDX-License-Identifier: BSD-2-Clause
"""What the monitor says of a running Linux: its memory as a core, its page tables, its interrupts."""
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import time

from support import WORK, Skip, check, kernel, linux, modules, variants

NOTE = 4


class Qmp:
    """A session; events are skipped."""

    def __init__(self, path):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(300)
        s.connect(path)
        self.f = s.makefile('rwb')
        self.f.readline()
        self('qmp_capabilities')

    def __call__(self, command, **arguments):
        self.f.write(json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n')
        self.f.flush()
        while True:
            answer = json.loads(self.f.readline())
            if 'event' not in answer:
                check('return' in answer, '%s: %s' % (command, answer))
                return answer['return']

    def hmp(self, line):
        return self('human-monitor-command', **{'command-line': line})


def notes(core):
    """{name: descriptor} of an ELF core."""
    with open(core, 'rb') as f:
        head = f.read(1 << 20)
    at, count = struct.unpack_from('<Q', head, 32)[0], struct.unpack_from('<H', head, 56)[0]
    found = {}
    for i in range(count):
        kind, _, offset, _, _, size = struct.unpack_from('<IIQQQQ', head, at + 56 * i)
        while kind == NOTE and size >= 12:
            name_bytes, bytes_, _ = struct.unpack_from('<III', head, offset)
            name = head[offset + 12:offset + 12 + name_bytes].rstrip(b'\0').decode()
            begin = offset + 12 + (name_bytes + 3 & ~3)
            found[name] = head[begin:begin + bytes_]
            step = begin + (bytes_ + 3 & ~3) - offset
            offset, size = offset + step, size - step
    return found


def test_core_of_linux():
    """dump-guest-memory of a Debian kernel has its VMCOREINFO and its banner; gdb reads registers and memory from it."""
    path, core = os.path.join(WORK, 'monitor.qmp'), os.path.join(WORK, 'monitor.core')
    with linux('-device', 'vmcoreinfo', '-qmp', 'unix:%s,server=on,wait=off' % path, mem='256',
               files=modules('cloud-amd64', 'qemu_fw_cfg')) as g:
        g.run('insmod /root/qemu_fw_cfg.ko')
        _, said = g.run("grep ' linux_banner$' /proc/kallsyms")
        banner = int(re.search(r'([0-9a-f]{16}) ', said).group(1), 16)
        q = Qmp(path)
        check('pic0: irr=' in q.hmp('info pic'), 'info pic')
        check(re.search(r'^ffff[0-9a-f]{12}-ffff', q.hmp('info mem'), re.M), 'info mem shows no kernel')
        q('dump-guest-memory', paging=True, protocol='file:' + core)
        status = q('query-status')
        check(status['running'], 'after the dump the guest is %r' % status)
        g.run('true')
        found = notes(core)
        check(b'OSRELEASE=6.' in found.get('VMCOREINFO', b''), 'no VMCOREINFO among %s' % list(found))
        gdb = shutil.which('gdb')
        if gdb:
            said = subprocess.run([gdb, '-batch', '-nx', '-ex', 'x/s 0x%x' % banner, '-ex', 'info registers rip', '-c', core],
                                  capture_output=True, text=True, timeout=120).stdout
            check('Linux version 6.' in said, 'gdb does not find the banner: ' + said)
        q('quit')
        g.wait(60)
    os.unlink(core)


def test_jit_figures():
    """info jit of a Linux that has booted."""
    path = os.path.join(WORK, 'jit.qmp')
    with linux('-qmp', 'unix:%s,server=on,wait=off' % path, '-accel', 'soft', mem='256') as g:
        q = Qmp(path)
        said = q.hmp('info jit')
        for name in ('blocks translated', 'lookups of blocks', 'TLB fills', 'interrupts'):
            m = re.search(r'%s +(\d+)' % name, said)
            check(m and int(m.group(1)) > 100, said)
        q('quit')


@variants('i6300esb', 'ib700')
def test_watchdog(device):
    """Linux's driver opens the watchdog, nobody pets it, and the machine is paused."""
    path = os.path.join(WORK, device + '.qmp')
    module = {'i6300esb': 'i6300esb', 'ib700': 'ib700wdt'}[device]
    try:
        files = modules('amd64', module)
    except KeyError:
        raise Skip('this kernel has no ' + module)
    with linux('-device', device, '-watchdog-action', 'pause', '-qmp', 'unix:%s,server=on,wait=off' % path, mem='256',
               files=files, image=kernel('amd64')) as g:
        for f in files:
            status, said = g.run('insmod /root/%s %s' % (os.path.basename(f), {'i6300esb': 'heartbeat=4', 'ib700wdt': 'timeout=4'}.get(
                os.path.basename(f)[:-3], '')))
            check(status == 0, said)
        q = Qmp(path)
        check(q('query-status')['status'] == 'running', 'not running')
        g.run('(echo x; sleep 100) >/dev/watchdog & true')
        end = time.monotonic() + 120
        while q('query-status')['status'] != 'watchdog':
            check(time.monotonic() < end, 'the watchdog has not expired: %r' % q('query-status'))
            time.sleep(0.2)
        q('quit')
