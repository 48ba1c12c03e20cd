# SPDX-License-Identifier: BSD-2-Clause
"""A client of the qtest protocol: drives the devices of an evmm that has no processor."""
import os
import socket
import subprocess
import tempfile

from support import EVMM


class Failed(Exception):
    """The answer was FAIL."""


class QTest:
    """evmm -accel qtest with ARGS, and a connection to it. Ports and memory by methods named as the commands."""

    def __init__(self, *args, limit=20):
        self.dir = tempfile.mkdtemp(prefix='evmm-qtest-')
        path = os.path.join(self.dir, 'qtest')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(limit)
        self.process = subprocess.Popen([EVMM, '-accel', 'qtest', '-qtest', 'unix:' + path, '-qtest-log', 'none',
                                         '-display', 'none', '-nodefaults'] + list(args), stdin=subprocess.DEVNULL)
        self.irqs = {}
        self.changes = []
        try:
            self.socket, _ = listener.accept()
        except OSError:
            self.process.kill()
            raise
        finally:
            listener.close()
            os.unlink(path)
            os.rmdir(self.dir)
        self.socket.settimeout(limit)
        self.lines = self.socket.makefile('r')

    def command(self, *words):
        self.socket.sendall((' '.join(str(w) for w in words) + '\n').encode())
        while True:
            line = self.lines.readline()
            if not line:
                raise EOFError('evmm has gone')
            answer = line.split()
            if answer[0] == 'IRQ':
                self.changes.append((int(answer[2]), answer[1]))
                self.irqs[int(answer[2])] = answer[1] == 'raise'
            elif answer[0] == 'FAIL':
                raise Failed(line.strip())
            else:
                return answer[1] if len(answer) > 1 else None

    def __getattr__(self, name):
        def call(*args):
            answer = self.command(name, *args)
            return int(answer, 0) if answer is not None else None
        return call

    def read(self, addr, size):
        return bytes.fromhex(self.command('read', addr, size)[2:])

    def write(self, addr, data):
        self.command('write', addr, len(data), '0x' + data.hex())

    def config_read(self, bus, slot, fn, offset):
        self.outl(0xcf8, 1 << 31 | bus << 16 | slot << 11 | fn << 8 | offset & 0xfc)
        return self.inl(0xcfc)

    def close(self):
        self.lines.close()
        self.socket.close()
        self.process.terminate()
        return self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
