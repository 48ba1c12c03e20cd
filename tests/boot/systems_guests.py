# SPDX-License-Identifier: BSD-2-Clause
"""Small guests from tests/guest, some of which mean harm."""
import json
import os
import signal
import subprocess
import time

from support import EVMM, Skip, check

GUESTS = os.environ.get('GUESTS') or os.path.join(os.path.dirname(os.path.abspath(EVMM)), 'tests', 'guest')


def command(name, *extra):
    image = os.path.join(GUESTS, name + '.elf')
    if not os.path.exists(image):
        raise Skip('%s is not built' % image)
    return [EVMM, '-m', '64', '-kernel', image, '-display', 'none', '-serial', 'null', '-debugcon', 'stdio',
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-accel', 'soft'] + list(extra)


def run(name, *extra, limit=20):
    r = subprocess.run(command(name, *extra), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                       timeout=limit)
    return r.returncode, r.stdout, r.stderr


def test_hello():
    """A multiboot guest prints through the debug console; isa-debug-exit gives (value << 1) | 1."""
    status, out, err = run('hello')
    check((status, out) == (43, 'hello from the guest 2badb002\n'), repr((status, out, err)))


def test_endless_blocks_keep_the_stack():
    """A loop that is never interrupted does not grow the host's stack."""
    status, out, err = run('endless', limit=120)
    check(status == 43, repr((status, out, err)))


def test_triple_fault_with_no_reboot():
    """A triple fault ends the machine with -no-reboot, and -d cpu_reset shows the registers."""
    status, out, err = run('triple', '-no-reboot', '-d', 'cpu_reset')
    check(status == 0 and out.count('triple-fault') == 1, repr((status, out, err)))
    check('600dbeef' in err.lower(), 'no registers: ' + err)


def test_triple_fault_resets():
    """Without it the machine starts again, from the same image."""
    p = subprocess.Popen(command('triple'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    for i in range(20):
        check(p.stdout.readline() == 'about to triple-fault\n', 'line %d' % i)
    p.terminate()
    p.stdout.close()
    check(p.wait(10) == 0, 'exit status %d' % p.returncode)


def test_jump_into_nowhere():
    """Where nothing is, ones are fetched: the guest faults to death, evmm does not."""
    status, out, err = run('nowhere', '-no-reboot')
    check(status == 0, repr((status, out, err)))


class Qmp:
    """The monitor of a machine whose guest means harm, on its stdin and stdout."""

    def __init__(self, p):
        self.p = p
        self.answer('QMP')
        self.run('qmp_capabilities')

    def answer(self, key):
        for line in self.p.stdout:
            message = json.loads(line)
            if key in message:
                return message[key]
        raise AssertionError('the monitor has hung up: %s' % self.p.stderr.read())

    def run(self, command):
        self.p.stdin.write('{"execute": "%s"}\n' % command)
        self.p.stdin.flush()
        return self.answer('return')


def survives(name, seconds, *extra):
    """NAME runs for SECONDS. A guest that finds the way to switch the machine off is begun anew, with other numbers."""
    line = command(name, '-no-shutdown', '-qmp', 'stdio', *extra)
    line[line.index('-debugcon') + 1] = 'null'
    p = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def resident():
        for line in open('/proc/%d/status' % p.pid):
            if line.startswith('VmRSS:'):
                return int(line.split()[1])

    def watch(qmp, seconds):
        end = time.time() + seconds
        while time.time() < end:
            status = qmp.run('query-status')['status']
            if status == 'suspended':
                qmp.run('system_wakeup')
            if status == 'shutdown':
                qmp.run('system_reset')
                qmp.run('cont')
            time.sleep(0.2)

    try:
        qmp = Qmp(p)
        watch(qmp, 3)
        before = resident()
        watch(qmp, seconds)
        check(p.poll() is None, 'ended by itself with status %s' % p.returncode)
        after = resident()
        check(after < before + 16384, 'grew from %d to %d KiB' % (before, after))
        p.send_signal(signal.SIGTERM)
        err = p.communicate(timeout=10)[1]
        check(p.returncode == 0, 'exit status %d: %s' % (p.returncode, err))
    finally:
        if p.poll() is None:
            p.kill()
            p.communicate()


def test_hammering_every_port_and_address():
    """Random port and MMIO accesses for a minute: evmm neither ends nor grows, and still obeys SIGTERM."""
    survives('hammer', 60)


def test_executing_garbage():
    """Random instructions for a minute, the same."""
    survives('garbage', 60)
