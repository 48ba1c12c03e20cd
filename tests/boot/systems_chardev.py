# SPDX-License-Identifier: BSD-2-Clause
"""Character back ends of every kind under peers that misbehave, all at once, while one QMP session goes on being answered."""
import json
import os
import random
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time

from support import EVMM, WORK, check

SECONDS = 8
ANSWER_LIMIT = 20  # seconds; the rest of the machine may be busy
GROWTH_KIB = 32 << 10

# Commands, mux escapes, telnet's negotiation, halves of JSON. Nothing that ends the machine: "q" and "x" are taken out.
WORDS = [b'help\n', b'info mtree -f\n', b'info registers -a\r', b'stop\n', b'cont\n', b'\t', b'\x1b[A', b'\x01c', b'\x01h', b'\x01b', b'\x01\x01',
         b'\x01s', b'\xff\xfb\x01', b'\xff\xfd\x03', b'\xff\xfa' + b'-' * 50, b'\xff\xff', b'{"e":["', bytes(10), b'-' * 3000]


def noise(rnd):
    words = (rnd.choice(WORDS) if rnd.random() < 0.7 else rnd.randbytes(rnd.randrange(1, 60)) for _ in range(rnd.randrange(1, 8)))
    return b''.join(words).replace(b'q', b'').replace(b'x', b'-')


class Attack:
    """An evmm whose back ends are all in use, and threads that use them badly until END."""

    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.end = time.monotonic() + SECONDS
        self.dir = tempfile.mkdtemp(dir=WORK)
        for name in ('pipe.in', 'pipe.out'):
            os.mkfifo(self.path(name))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', 0))
        self.udp.setblocking(False)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path('client'))
        self.listener.listen(1)
        self.listener.settimeout(0.5)
        self.udp_port = self.free_port()
        argv = [EVMM, '-accel', 'soft', '-m', '64', '-display', 'none', '-nodefaults']
        argv += ['-qmp', 'unix:%s,server=on,wait=off' % self.path('qmp')]
        argv += ['-chardev', 'socket,id=unix,path=%s,server=on,wait=off,mux=on' % self.path('unix'), '-serial', 'chardev:unix']
        for kind in ('pty', 'pipe,path=' + self.path('pipe'), 'socket,host=127.0.0.1,port=0,server=on,wait=off,telnet=on',
                     'udp,host=127.0.0.1,port=%d,localaddr=127.0.0.1,localport=%d' % (self.udp.getsockname()[1], self.udp_port)):
            argv += ['-chardev', '%s,id=%s' % (kind, 'telnet' if 'telnet' in kind else kind.split(',')[0])]
        for name in ('unix', 'pty', 'pipe', 'telnet', 'udp'):
            argv += ['-mon', 'chardev=%s,mode=readline' % name]
        argv += ['-chardev', 'socket,id=client,path=%s,reconnect=1' % self.path('client'), '-mon', 'chardev=client,mode=control']
        argv += ['-chardev', 'ringbuf,id=ring,size=65536', '-device', 'isa-debugcon,iobase=0x402,chardev=ring']
        self.log = open(self.path('log'), 'w+')
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.qmp = self.connect_qmp()
        self.ask('qmp_capabilities')
        names = {c['label']: c['filename'] for c in self.ask('query-chardev')}
        self.pty = names['pty'].split(':', 1)[1]
        self.telnet_port = int(re.search(r':(\d+),server', names['telnet']).group(1))

    def path(self, name):
        return os.path.join(self.dir, name)

    @staticmethod
    def free_port():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            return s.getsockname()[1]

    def connect_qmp(self):
        end = time.monotonic() + 60
        while True:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(ANSWER_LIMIT)
            try:
                s.connect(self.path('qmp'))
                break
            except OSError:
                check(time.monotonic() < end and self.proc.poll() is None, 'evmm does not start: ' + open(self.path('log')).read())
                time.sleep(0.05)
        f = s.makefile('rwb')
        f.readline()
        return f

    def ask(self, command, **arguments):
        self.qmp.write(json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n')
        self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if 'event' not in answer:
                check('return' in answer, '%s: %s' % (command, answer))
                return answer['return']

    # Peers; each is a thread.

    def sockets(self, seed, connect):
        """Says much, reads all, some or nothing, shuts a side down, and goes politely or not."""
        rnd = random.Random(seed)
        while time.monotonic() < self.end:
            try:
                s = connect()
            except OSError:
                time.sleep(0.05)
                continue
            says, reads = rnd.random() < 0.8, rnd.random() < 0.5
            s.setblocking(False)
            for _ in range(rnd.randrange(1, 40)):
                try:
                    if says:
                        s.send(noise(rnd))
                    if reads:
                        s.recv(rnd.choice((1, 100, 65536)))
                except BlockingIOError:
                    time.sleep(0.01)
                except OSError:
                    break
                if rnd.random() < 0.3:
                    time.sleep(rnd.random() * 0.05)
            try:
                if rnd.random() < 0.3:
                    s.shutdown(rnd.choice((socket.SHUT_RD, socket.SHUT_WR)))
                    time.sleep(0.1)
                if rnd.random() < 0.3:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            except OSError:
                pass
            s.close()

    def unix(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.5)
        s.connect(self.path('unix'))
        return s

    def telnet(self):
        return socket.create_connection(('127.0.0.1', self.telnet_port), 0.5)

    def client(self):
        return self.listener.accept()[0]

    def files(self, seed, names):
        """The pty, or a pair of pipes: opened, half read, hung up."""
        rnd = random.Random(seed)
        while time.monotonic() < self.end:
            fds = []
            try:
                for name, flags in names:
                    fds.append(os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY))
                for _ in range(rnd.randrange(1, 20)):
                    try:
                        os.write(fds[0], noise(rnd))
                        if rnd.random() < 0.5:
                            os.read(fds[-1], 4096)
                    except BlockingIOError:
                        time.sleep(0.01)
            except OSError:
                pass
            for fd in fds:
                os.close(fd)
            time.sleep(rnd.random() * 0.1)

    def datagrams(self, seed):
        rnd = random.Random(seed)
        while time.monotonic() < self.end:
            try:
                self.udp.sendto(noise(rnd)[:1400], ('127.0.0.1', self.udp_port))
                if rnd.random() < 0.5:
                    self.udp.recv(65536)
            except OSError:
                time.sleep(0.01)

    def start(self):
        jobs = [(self.sockets, self.unix), (self.sockets, self.unix), (self.sockets, self.telnet), (self.sockets, self.client),
                (self.files, [(self.pty, os.O_RDWR)]),
                (self.files, [(self.path('pipe.in'), os.O_WRONLY), (self.path('pipe.out'), os.O_RDONLY)])]
        threads = [threading.Thread(target=fn, args=(self.rnd.random(), arg), daemon=True) for fn, arg in jobs]
        threads.append(threading.Thread(target=self.datagrams, args=(self.rnd.random(),), daemon=True))
        for t in threads:
            t.start()
        return threads

    # What it costs.

    def resident(self):
        return int(re.search(r'VmRSS:\s+(\d+)', open('/proc/%d/status' % self.proc.pid).read()).group(1))

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.proc.pid))

    def callbacks(self):
        said = self.ask('human-monitor-command', **{'command-line': 'info loop'})
        return {name: int(n) for name, n in re.findall(r'^(chardev\S*|qmp) +(\d+) ', said, re.M)}


def test_misbehaving_peers():
    """Sockets, telnet, a reconnecting client, a mux, a pty, pipes, datagrams: nobody waits, nothing grows, nothing spins afterwards."""
    a = Attack(1)
    try:
        kib, fds = a.resident(), a.descriptors()
        threads, asked = a.start(), 0
        while time.monotonic() < a.end:
            a.ask('query-status')
            asked += 1
            if asked % 50 == 0:
                a.ask('ringbuf-write', device='ring', data='-' * 1000)
                a.ask('ringbuf-read', device='ring', size=500)
                a.ask('chardev-send-break', id='unix')
            time.sleep(0.01)
        for t in threads:
            t.join(30)
        a.ask('stop')
        check(len(a.ask('query-chardev')) == 9, 'a back end is gone')
        check(a.resident() < kib + GROWTH_KIB, 'grown from %d to %d KiB' % (kib, a.resident()))
        check(a.descriptors() < fds + 8, '%d descriptors became %d' % (fds, a.descriptors()))
        time.sleep(1)
        before = a.callbacks()
        time.sleep(2)
        spun = {k: n - before[k] for k, n in a.callbacks().items() if n - before[k] > 200}
        check(not spun, 'spins, with nobody there: %s' % spun)
        a.ask('quit')
        check(a.proc.wait(60) == 0, 'exit status %d: %s' % (a.proc.returncode, open(a.path('log')).read()))
    finally:
        if a.proc.poll() is None:
            a.proc.kill()
            a.proc.wait()
