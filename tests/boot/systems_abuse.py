# SPDX-License-Identifier: BSD-2-Clause
"""Guests that storm exits, program interrupt controllers absurdly, and end in every documented way; on every accelerator that is here."""
import os
import subprocess
import tempfile
import time

from support import EVMM, Skip, WORK, check
from systems_accel import ACCELS, GUESTS, here
from systems_guests import Qmp

SECONDS = 2   # of each storm
PATIENCE = 20 # that the monitor may take to answer on a busy machine


def image(name):
    path = os.path.join(GUESTS, name + '.elf')
    if not os.path.exists(path):
        raise Skip('%s is not built' % path)
    return path


def start(accel, name, how, *extra):
    """A machine whose guest prints to a file, with its monitor on stdin and stdout; the file's name."""
    out = tempfile.mktemp(dir=WORK)
    p = subprocess.Popen([EVMM, '-accel', accel, '-m', '64', '-nodefaults', '-display', 'none', '-chardev', 'file,id=out,path=' + out,
                          '-device', 'isa-debugcon,iobase=0x402,chardev=out', '-device', 'pc-testdev', '-device',
                          'isa-debug-exit,iobase=0xf4,iosize=4', '-qmp', 'stdio', '-kernel', image(name), '-append', how, *extra],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p, out


def printed(path, what, times, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if os.path.exists(path):
            with open(path) as f:
                if f.read().count(what) >= times:
                    return True
        time.sleep(0.05)
    return False


def stop(p):
    if p.poll() is None:
        p.kill()
    p.communicate()


def storm(accel, how):
    p, out = start(accel, 'flood', how, '-smp', '2', '-vga', 'std', '-serial', 'null', '-d', 'guest_errors', '-D', '/dev/null')
    try:
        qmp = Qmp(p)
        check(printed(out, 'storm\n', 1), '%s, %s: the guest does not start' % (accel, how))
        worst, end = 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            asked = time.monotonic()
            status = qmp.run('query-status')
            worst = max(worst, time.monotonic() - asked)
            # What a software KVM cannot emulate is an internal error, from which a reset is the way out.
            check(status['status'] in ('running', 'shutdown', 'internal-error'), '%s, %s: %r' % (accel, how, status))
            time.sleep(0.02)
        check(worst < PATIENCE, '%s, %s: the monitor takes %.1f s' % (accel, how, worst))
        for command in 'stop', 'system_reset', 'cont':
            qmp.run(command)
        check(printed(out, 'storm\n', 2), '%s, %s: no new start after a reset' % (accel, how))
        qmp.run('quit')
        _, err = p.communicate(timeout=60)
        check(p.returncode == 0, '%s, %s: status %d: %s' % (accel, how, p.returncode, err))
    finally:
        stop(p)


def test_abuse_port_storm():
    """Ports of all kinds from two CPUs as fast as they can: the monitor answers, and a reset begins anew."""
    for accel in filter(here, ACCELS):
        storm(accel, 'ports')


def test_abuse_memory_storm():
    """The same with device memory."""
    for accel in filter(here, ACCELS):
        storm(accel, 'memory')


def test_abuse_interrupt_controllers():
    """8259s, 8254, IOAPIC, local APICs and HPET programmed at random, lines pulled, IPIs sent: the same."""
    for accel in filter(here, ACCELS):
        storm(accel, 'chips')


# What the first letter of ends.S's command line does; with -no-reboot a reset is the end, too.
ENDS = (('triple', 0, True), ('keyboard', 0, True), ('cf9', 0, True), ('92', 0, True), ('soft off', 0, False), ('debug-exit', 43, False))


def test_abuse_every_end():
    """Triple fault, 8042, CF9h, port 92h, S5, isa-debug-exit: each ends the machine, or resets it where that is what it means."""
    for accel in filter(here, ACCELS):
        for machine in 'pc', 'q35':
            for how, status, resets in ENDS:
                p, out = start(accel, 'ends', how, '-machine', machine, '-no-reboot')
                try:
                    p.stdin.close()
                    check(p.wait(60) == status, '%s, %s, %s: %d' % (accel, machine, how, p.returncode))
                    check(printed(out, 'ends\n', 1, 1), '%s, %s, %s: printed nothing' % (accel, machine, how))
                finally:
                    p.stdin = None
                    stop(p)
        for how, _, resets in ENDS:
            if not resets:
                continue
            p, out = start(accel, 'ends', how)
            try:
                check(printed(out, 'ends\n', 3), '%s, %s: does not start again' % (accel, how))
            finally:
                stop(p)


def test_abuse_halted_for_good():
    """HLT with interrupts off is no end: the machine waits, costs nothing, and can be reset and ended."""
    for accel in filter(here, ACCELS):
        p, out = start(accel, 'ends', 'h')
        try:
            qmp = Qmp(p)
            check(printed(out, 'ends\n', 1), accel)
            time.sleep(0.3)
            check(qmp.run('query-status')['running'], accel)
            qmp.run('system_reset')
            check(printed(out, 'ends\n', 2), accel + ': no new start after a reset')
            qmp.run('quit')
            check(p.wait(30) == 0, accel)
        finally:
            stop(p)
