# SPDX-License-Identifier: BSD-2-Clause
"""Panics, sleep, resets and the power button, with Linux."""
import json
import os
import socket
import time

from support import WORK, check, evmm, linux_args, modules, variants


class Session:
    """QMP on a socket; events are kept."""

    def __init__(self, path, limit=60):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(limit)
        s.connect(path)
        self.f = s.makefile('rwb')
        self.events = []
        self.message()
        self('qmp_capabilities')

    def message(self):
        line = self.f.readline()
        check(line, 'QMP has ended')
        return json.loads(line)

    def __call__(self, command, **arguments):
        self.f.write(json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n')
        self.f.flush()
        while True:
            answer = self.message()
            if 'event' not in answer:
                check('return' in answer, '%s: %s' % (command, answer))
                return answer['return']
            self.events.append(answer)

    def event(self, name):
        """The next event of that name; those before it are passed."""
        while True:
            while self.events:
                e = self.events.pop(0)
                if e['event'] == name:
                    return e.get('data', {})
            self.events.append(self.message())

    def status(self):
        return self('query-status')['status']


def qmp_args(name):
    path = os.path.join(WORK, name + '.qmp')
    return path, ['-qmp', 'unix:%s,server=on,wait=off' % path]


def insmod(g, files):
    for f in files:
        status, out = g.run('insmod ' + os.path.basename(f))
        check(status == 0, 'insmod %s: %s' % (f, out))


@variants(('pc', 'pvpanic', 'pvpanic_mmio'), ('q35', 'pvpanic-pci', 'pvpanic_pci'), ('microvm', 'pvpanic', 'pvpanic_mmio'))
def test_panics(board, device, module):
    """Linux's driver finds pvpanic in ACPI or on PCI, and a panic is told of, to be followed by what -action says."""
    path, args = qmp_args('panic-' + board)
    mods = modules('cloud-amd64', module)
    with evmm(*linux_args('-accel', 'soft', '-M', board, '-device', device, '-action', 'panic=pause', *args, files=mods,
                          mem='256')) as g:
        g.login(120)
        q = Session(path)
        insmod(g, mods)
        g.send('echo c > /proc/sysrq-trigger\n')
        check(q.event('GUEST_PANICKED') == {'action': 'pause'}, 'another action')
        q.event('STOP')
        check(q.status() == 'guest-panicked', q.status())
        q('set-action', panic='exit-failure')
        q('system_reset')
        q.event('RESET')
        q('cont')
        g.login(120)
        insmod(g, mods)
        g.send('echo c > /proc/sysrq-trigger\n')
        check(q.event('GUEST_PANICKED') == {'action': 'poweroff'}, 'another action')
        check(q.event('SHUTDOWN') == {'guest': True, 'reason': 'guest-panic'}, 'another end')
        check(g.wait(20) == 1, 'exit status')
