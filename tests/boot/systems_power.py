# SPDX-License-Identifier: BSD-2-Clause
"""Panics, sleep, resets and the power button, with Linux."""
import json
import os
import socket
import time

from support import WORK, check, evmm, linux_args, modules, variants
from systems_board import efi_disk
from systems_boot import UNLOCKED, linux_disk
from systems_firmware import need_seabios, ovmf


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


def suspend(g, q):
    g.send('echo mem > /sys/power/state; echo re""sumed\n')
    q.event('SUSPEND')
    check(q.status() == 'suspended', q.status())


def resumed(g, q):
    q.event('WAKEUP')
    g.expect(r'^resumed$', 60)
    check(q.status() == 'running', q.status())
    status, out = g.run('dmesg | grep -c "PM: suspend exit"')
    return int(out)


@variants('pc', 'q35')
def test_suspends_to_ram(board):
    """Linux that was started right away suspends to RAM; the monitor, a key and the RTC's alarm wake it, and it works on."""
    path, args = qmp_args('suspend-' + board)
    with evmm(*linux_args('-accel', 'soft', '-M', board, '-smp', '2', *args, mem='256', append='console=ttyS0 no_console_suspend')) as g:
        g.login(120)
        q = Session(path)
        check(q('query-current-machine')['wakeup-suspend-support'], 'no support')
        check('mem' in g.run('cat /sys/power/state')[1], 'no suspend to RAM')
        suspend(g, q)
        time.sleep(0.5)
        check(q.status() == 'suspended', 'it woke by itself')
        q('system_wakeup')
        check(resumed(g, q) == 1, 'not once')
        suspend(g, q)
        q('send-key', keys=[{'type': 'qcode', 'data': 'spc'}])
        check(resumed(g, q) == 2, 'not twice')
        g.run('echo +3 > /sys/class/rtc/rtc0/wakealarm')
        suspend(g, q)
        check(resumed(g, q) == 3, 'not three times')
        check(g.run('grep -c ^processor /proc/cpuinfo')[1] == '2', 'a CPU was lost')
        g.send('poweroff -f\n')
        check(g.wait(60) == 0, 'exit status')


@variants(('pc', 'PIIX4_PM'), ('q35', 'ICH9-LPC'))
def test_suspension_is_switched_off(board, chip):
    """-global CHIP.disable_s3=1: the kernel is told of no such state; the one of suspension to disk has its own switch."""
    with evmm(*linux_args('-accel', 'soft', '-M', board, '-global', chip + '.disable_s3=1', mem='256')) as g:
        g.login(120)
        check('(supports S0 S4 S5)' in g.run('dmesg | grep "ACPI: PM: (supports"')[1], 'other states')


@variants('pc', 'q35')
def test_suspends_to_ram_by_seabios(board):
    """The same through SeaBIOS, which goes on where the FACS says; a disk has kept its data."""
    need_seabios()
    disk, mods = linux_disk()
    path, args = qmp_args('seabios-' + board)
    with evmm('-accel', 'soft', '-M', board, '-m', '256', '-nographic', '-snapshot', '-drive', UNLOCKED + disk, *args) as g:
        g.login(240)
        q = Session(path)
        insmod(g, mods)
        sum_before = g.run('sleep 1; head -c 8388608 /dev/sda | md5sum', 120)[1]
        suspend(g, q)
        q('system_wakeup')
        check(resumed(g, q) == 1, 'not once')
        g.run('echo 3 > /proc/sys/vm/drop_caches')
        check(g.run('head -c 8388608 /dev/sda | md5sum', 120)[1] == sum_before, 'another disk')


def test_suspends_to_ram_by_ovmf():
    """And through OVMF."""
    path, args = qmp_args('ovmf')
    with ovmf('q35', os.path.join(WORK, 'vars-suspend'), '-drive', UNLOCKED + efi_disk([]), *args) as g:
        g.login(240)
        q = Session(path)
        suspend(g, q)
        q('system_wakeup')
        check(resumed(g, q) == 1, 'not once')


RESET = {'guest': True, 'reason': 'guest-reset'}


@variants(('pc', 'kbd', 'acpi', 'triple', 'pci', 'bios'), ('q35', 'kbd', 'acpi'), ('microvm', 'acpi', 'triple'))
def test_resets(board, *methods):
    """Linux resets the machine in each of its ways, and is there again; the last time it ends it instead."""
    path, args = qmp_args('resets-' + board)
    with evmm(*linux_args('-accel', 'soft', '-M', board, *args, mem='256')) as g:
        g.login(120)
        q = Session(path)
        for method in methods:
            g.run('echo %s > /sys/kernel/reboot/type' % method)
            check(g.run('cat /sys/kernel/reboot/type')[1] == method, 'no way %s' % method)
            g.send('reboot -f\n')
            check(q.event('RESET') == RESET, 'another cause')
            g.login(120)
        q('set-action', reboot='shutdown')
        g.send('reboot -f\n')
        check(q.event('SHUTDOWN') == RESET, 'another cause')
        check(g.wait(20) == 0, 'exit status')


@variants('pc', 'q35', 'microvm')
def test_power_button_and_off(board):
    """The power button reaches Linux's driver; with -no-shutdown a machine that is off stays to be looked at, and can be reset."""
    path, args = qmp_args('power-' + board)
    with evmm(*linux_args('-accel', 'soft', '-M', board, '-no-shutdown', *args, mem='256')) as g:
        g.login(120)
        q = Session(path)
        check(g.run('insmod button-cloud-amd64.ko')[0] == 0, 'no driver')
        interrupts = "awk 'tolower($0) ~ /acpi/ {print $2}' /proc/interrupts"
        before = int(g.run(interrupts)[1])
        q('system_powerdown')
        q.event('POWERDOWN')
        check(int(g.run('sleep 1; ' + interrupts)[1]) > before, 'no interrupt')
        g.send('poweroff -f\n')
        check(q.event('SHUTDOWN') == {'guest': True, 'reason': 'guest-shutdown'}, 'another cause')
        q.event('STOP')
        check(q.status() == 'shutdown', q.status())
        q('system_reset')
        check(q.event('RESET') == {'guest': False, 'reason': 'host-qmp-system-reset'}, 'another cause')
        check(q.status() == 'prelaunch', q.status())
        q('cont')
        g.login(120)
        q('set-action', shutdown='poweroff')
        g.send('poweroff -f\n')
        check(g.wait(20) == 0, 'exit status')
