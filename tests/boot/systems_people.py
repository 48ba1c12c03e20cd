# SPDX-License-Identifier: BSD-2-Clause
"""As people use it: in a terminal (tmux), by telnet, by socat."""
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

from support import EVMM, WORK, Skip, check


class Tmux:
    """A shell in a terminal of 80 by 24."""

    def __init__(self):
        if not shutil.which('tmux'):
            raise Skip('there is no tmux')
        self.socket = os.path.join(tempfile.mkdtemp(dir=WORK), 'tmux')
        self('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', 'PS1="sh> " exec sh')

    def __call__(self, *args):
        r = subprocess.run(['tmux', '-S', self.socket] + list(args), capture_output=True, text=True, timeout=60,
                           env=dict(os.environ, TERM='xterm', LC_ALL='C.UTF-8', ENV=''))
        check(r.returncode == 0, 'tmux %s: %s' % (args, r.stderr))
        return r.stdout

    def type(self, text):
        self('send-keys', '-l', text)

    def key(self, *names):
        self('send-keys', *names)

    def screen(self):
        return self('capture-pane', '-p', '-J')

    def expect(self, pattern, limit=60):
        end = time.monotonic() + limit
        while not re.search(pattern, self.screen(), re.M):
            check(time.monotonic() < end, 'no /%s/ on the screen:\n%s' % (pattern, self.screen()))
            time.sleep(0.1)

    def __enter__(self):
        self.expect('^sh> ')
        return self

    def __exit__(self, *exc):
        subprocess.run(['tmux', '-S', self.socket, 'kill-server'], capture_output=True)


def test_terminal():
    """At a terminal: a serial port and the monitor, C-a c, C-a h, completion, history, editing, C-a x; the terminal is as it was."""
    folder = tempfile.mkdtemp(dir=WORK)
    with Tmux() as t:
        t.type('cd %s; stty -a >before; clear' % folder)
        t.key('Enter')
        t.type('%s -accel soft -m 64 -nographic -nodefaults -serial mon:stdio -S; stty -a >after; echo status $?' % EVMM)
        t.key('Enter')
        time.sleep(1)
        t.key('C-a')
        t.type('c')
        t.expect(r'^\(evmm\)')
        t.type('info sta')
        t.key('Tab')
        t.expect(r'info status')
        t.key('Enter')
        t.expect(r'VM status: paused')
        t.type('info nmae')
        t.key('Left', 'Left', 'BSpace')
        t.key('Left')
        t.key('End', 'BSpace', 'BSpace')
        t.key('C-u')
        t.type('system_')
        t.key('Tab')
        t.expect(r'system_powerdown.*system_reset')
        t.key('C-u')
        t.type('print 6*7')
        t.key('Enter')
        t.expect(r'^(0x2a|42)\b')
        t.key('Up', 'BSpace')
        t.type('8')
        t.key('Enter')
        t.expect(r'^(0x30|48)\b')
        t.key('C-a')
        t.type('h')
        t.expect(r'C-a x')
        t.key('C-a')
        t.type('x')
        t.expect(r'^status 0')
        before, after = (open(os.path.join(folder, n)).read() for n in ('before', 'after'))
        check(before == after, 'the terminal was %s and is %s' % (before, after))


def talk(argv, want, say):
    """Runs ARGV at a pty; says each line when what is WANTed before it has come."""
    if not shutil.which(argv[0]):
        raise Skip('there is no ' + argv[0])
    master, slave = pty.openpty()
    p = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    got, end = b'', time.monotonic() + 60
    try:
        for pattern, line in zip(want, say + [None]):
            while not re.search(pattern, got):
                check(select.select([master], [], [], max(0, end - time.monotonic()))[0], '%s: no %r in %r' % (argv[0], pattern, got))
                got += os.read(master, 4096)
            if line is not None:
                got = b''
                os.write(master, line)
    finally:
        p.kill()
        p.wait()
        os.close(master)


def test_telnet_and_socat():
    """telnet at a monitor, socat at another and at QMP; each comes and goes twice."""
    folder = tempfile.mkdtemp(dir=WORK)
    argv = [EVMM, '-accel', 'soft', '-m', '64', '-display', 'none', '-nodefaults', '-S']
    argv += ['-monitor', 'telnet:127.0.0.1:0,server=on,wait=off', '-qmp', 'unix:%s/qmp,server=on,wait=off' % folder]
    argv += ['-chardev', 'socket,id=m,path=%s/mon,server=on,wait=off' % folder, '-mon', 'chardev=m,mode=readline']
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not os.path.exists(folder + '/mon'):
            check(time.monotonic() < end and p.poll() is None, 'evmm does not start')
            time.sleep(0.05)
        port = []

        def find_port(said):
            port.append(re.search(rb'telnet:127\.0\.0\.1:(\d+)', said).group(1).decode())
        prompt = rb'\(evmm\) $'
        for _ in range(2):
            talk(['socat', '-,raw,echo=0', 'UNIX-CONNECT:%s/mon' % folder], [prompt, rb'VM status: paused', ], [b'info status\r'])
        r = subprocess.run(['socat', '-t5', '-', 'UNIX-CONNECT:%s/mon' % folder], input=b'info chardev\n', capture_output=True, timeout=60)
        find_port(r.stdout)
        for _ in range(2):
            talk(['telnet', '127.0.0.1', port[0]], [prompt, rb'VM status: paused'], [b'info status\r'])
        hello = b'{"execute": "qmp_capabilities"}{"execute": "query-status"}'
        for _ in range(2):
            r = subprocess.run(['socat', '-t5', '-', 'UNIX-CONNECT:%s/qmp' % folder], input=hello, capture_output=True, timeout=60)
            check(b'"prelaunch"' in r.stdout, r.stdout)
    finally:
        p.terminate()
        check(p.wait(30) == 0, 'exit status')
