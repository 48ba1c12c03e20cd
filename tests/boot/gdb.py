# SPDX-License-Identifier: BSD-2-Clause
"""Debian's gdb, driven by its command line."""
import os
import re
import select
import shutil
import signal
import subprocess
import time

from support import Skip


class Gdb:
    def __init__(self, target):
        if not shutil.which('gdb'):
            raise Skip('there is no gdb')
        self.p = subprocess.Popen(['gdb', '-q', '-nx'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, start_new_session=True)
        self.n = 0
        for line in ('set confirm off', 'set pagination off', 'set width 0', 'set remotetimeout 60', 'set tcp connect-timeout 30',
                     'target remote ' + target):
            self.greeting = self(line)

    def start(self, line):
        """A command whose end finish() waits for."""
        self.n += 1
        self.p.stdin.write(('%s\necho <%d>\\n\n' % (line, self.n)).encode())
        self.p.stdin.flush()

    def finish(self, limit=120):
        mark = ('<%d>\n' % self.n).encode()
        text = self.read_until(mark, limit).replace(mark, b'').replace(b'(gdb) ', b'')
        return text.decode(errors='replace')

    def run(self):
        """continue, and the guest runs; finish() waits for its stop."""
        self.start('continue')
        self.read_until(b'Continuing.')

    def read_until(self, mark, limit=120):
        got, end = b'', time.time() + limit
        while mark not in got:
            left = end - time.time()
            if left <= 0 or not select.select([self.p.stdout], [], [], left)[0]:
                raise AssertionError('gdb does not answer; it said %r' % got.decode(errors='replace')[-500:])
            more = os.read(self.p.stdout.fileno(), 65536)
            if not more:
                raise AssertionError('gdb ended: %r' % got.decode(errors='replace')[-500:])
            got += more
        return got

    def __call__(self, line, limit=120):
        self.start(line)
        return self.finish(limit)

    def interrupt(self):
        self.p.send_signal(signal.SIGINT)

    def number(self, expression):
        text = self('output/x ' + expression)
        found = re.search(r'0x([0-9a-f]+)', text)
        if not found:
            raise AssertionError('%s: %s' % (expression, text))
        return int(found.group(1), 16)

    def kill(self):
        self.p.kill()
        self.p.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.kill()
