# SPDX-License-Identifier: BSD-2-Clause
"""Drives a virtual machine through its console: start, wait for text, type, end.

A Guest runs a VMM's command line on a pty (or on pipes) and keeps all that it prints. Everything
has a time limit; a limit that passes raises Timeout with the tail of the console in its text.
"""
import os
import pty
import re
import select
import signal
import subprocess
import time


class Timeout(Exception):
    pass


class Ended(Exception):
    pass


class Guest:
    def __init__(self, argv, pty_console=True, env=None):
        self.argv = argv
        self.text = ''
        self.seen = 0  # expect() looks from here
        self.started = time.monotonic()
        if pty_console:
            master, slave = pty.openpty()
            self.proc = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                                         close_fds=True, env=env, start_new_session=True)
            os.close(slave)
            self.rfd = self.wfd = master
        else:
            self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, env=env)
            self.rfd, self.wfd = self.proc.stdout.fileno(), self.proc.stdin.fileno()
        os.set_blocking(self.rfd, False)

    def _pump(self, wait):
        ready, _, _ = select.select([self.rfd], [], [], wait)
        if not ready:
            return True
        try:
            data = os.read(self.rfd, 65536)
        except BlockingIOError:
            return True
        except OSError:  # the pty's other end is gone
            data = b''
        self.text += data.decode('latin-1').replace('\r', '')
        return bool(data)

    def expect(self, pattern, limit=30):
        """Waits until PATTERN (a regular expression) is printed; the match. Text before it is passed."""
        rx = re.compile(pattern, re.M)
        end = time.monotonic() + limit
        while True:
            m = rx.search(self.text, self.seen)
            if m:
                self.seen = m.end()
                return m
            left = end - time.monotonic()
            if left <= 0:
                raise Timeout('no /%s/ within %d s; the console ends:\n%s' % (pattern, limit, self.tail()))
            if not self._pump(min(left, 0.5)):
                m = rx.search(self.text, self.seen)
                if m:
                    self.seen = m.end()
                    return m
                raise Ended('ended before /%s/; the console ends:\n%s' % (pattern, self.tail()))

    def tail(self, n=1500):
        return self.text[-n:]

    def send(self, data):
        if isinstance(data, str):
            data = data.encode('latin-1')
        while data:
            data = data[os.write(self.wfd, data[:64]):]
            self._pump(0)

    def run(self, command, limit=60):
        """Runs a shell command in the guest; (status, output)."""
        self.serial = getattr(self, 'serial', 0) + 1
        n = self.serial
        # The quotes keep the shell's echo of the line from matching.
        self.send('echo be""gin%d; %s; echo en""d%d-$?\n' % (n, command, n))
        # A line that is sent before the prompt is echoed before it.
        begin = self.expect(r'^(?:# )?begin%d\n' % n, limit)
        end = self.expect(r'end%d-(\d+)\n' % n, limit)
        return int(end.group(1)), self.text[begin.end():end.start()].strip('\n')

    def login(self, limit=60):
        """Waits for the shell that tests/boot/mk-initramfs starts."""
        self.expect(r'evmm guest ready', limit)
        self.expect(r'# ', limit)
        # Wide, so that the shell's editor doesn't wrap lines; and nothing of the kernel's between a command's lines.
        self.run('stty cols 400; dmesg -n 1', limit)

    def wait(self, limit=30):
        """Waits for the process to end; its status."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if not self._pump(0.05):
                break
            if self.proc.poll() is not None:
                self._pump(0)
                break
        try:
            return self.proc.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Timeout('did not end within %d s; the console ends:\n%s' % (limit, self.tail()))

    def kill(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGKILL)
            self.proc.wait()
        for fd in {self.rfd, self.wfd}:
            try:
                os.close(fd)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.kill()
