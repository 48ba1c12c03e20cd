# SPDX-License-Identifier: BSD-2-Clause
"""For tests/bench/disk: the freestanding guest of tests/guest/disk_user.c on KVM, evmm beside QEMU, and fio on the host as the limit.

Both machines stand ready side by side, one of them stopped while the other works, so that a case's two figures are taken within a
second of each other. Threads are pinned (pinning.py), those of fio too. QEMU has what makes it fastest: io_uring, an iothread, cache=none where there is O_DIRECT.
"""
import json
import os
import re
import shutil
import signal
import statistics
import subprocess

import pinning
import support

SIZE = 256 << 20
DEPTHS = (1, 4, 32, 128)


def cases():
    """(name, op, bytes, depth, queues, wait)"""
    for wait, how in (('p', 'polling'), ('i', 'interrupts')):
        for op, kind in (('r', 'read'), ('w', 'write')):
            for depth in DEPTHS:
                yield '4 KiB %s, depth %d, %s' % (kind, depth, how), op, 4096, depth, 1, wait
        yield '4 KiB read, depth 32, 2 queues, %s' % how, 'r', 4096, 32, 2, wait
        yield '4 KiB write, depth 32, 2 queues, %s' % how, 'w', 4096, 32, 2, wait
        for op, kind in (('R', 'read'), ('w', 'write')):
            yield '1 MiB sequential %s, depth 4, %s' % (kind, how), op, 1 << 20, 4, 1, wait


class Machine:
    """A running guest that waits for its next line, stopped."""

    def __init__(self, argv, rom, cpus=None):
        """CPUS: the host CPU of the vCPU, and that of all else."""
        argv = argv + ['-m', '256', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-bios', rom,
                       '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.disks = int(self._answer(r'disks (\d+)').group(1))
        except RuntimeError:
            self.proc.kill()
            raise
        pinning.pin(self.proc.pid, cpus)
        self.proc.send_signal(signal.SIGSTOP)

    def _answer(self, pattern):
        line = self.proc.stdout.readline()
        m = re.match(pattern, line)
        if not m:
            self.proc.kill()
            raise RuntimeError('%s: %r, %s' % (self.proc.args[0], line, self.proc.stderr.read()))
        return m

    def _times(self):
        """Nanoseconds of CPU time: of all threads, and of those that are not the vCPU's."""
        names = dict(pinning.threads(self.proc.pid))
        ns = {tid: int(stat.split()[0]) for tid, stat in pinning.threads(self.proc.pid, 'schedstat')}
        return sum(ns.values()), sum(ns[tid] for tid in ns if not pinning.is_vcpu(names.get(tid, '')))

    def run(self, op, size, depth, queues, wait, seconds, disk=0):
        """{requests a second, CPU time of a request, the same without the vCPU's thread}"""
        before = self._times()
        self.proc.send_signal(signal.SIGCONT)
        self.proc.stdin.write('%d %s %d %d %d %s %d\n' % (disk, op, size, depth, queues, wait, seconds * 1000))
        self.proc.stdin.flush()
        m = self._answer(r'ok (\d+) (\d+)')
        self.proc.send_signal(signal.SIGSTOP)
        after = self._times()
        n, ns = int(m.group(1)), int(m.group(2))
        return {'iops': n * 1e9 / ns, 'cpu': (after[0] - before[0]) / n / 1000, 'host': (after[1] - before[1]) / n / 1000}

    def end(self):
        self.proc.send_signal(signal.SIGCONT)
        self.proc.stdin.write('end\n')
        self.proc.stdin.close()
        try:
            self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()


def fio(path, direct, op, size, depth, seconds, cpus=None):
    rw = {'r': 'randread', 'w': 'randwrite', 'R': 'read', 'W': 'write'}[op]
    r = subprocess.run(['fio', '--name=limit', '--filename=' + path, '--ioengine=io_uring', '--direct=%d' % direct, '--iodepth=%d' % depth,
                        '--rw=' + rw, '--bs=%d' % size, *(['--cpus_allowed=%d' % cpus[1]] if cpus else []), '--size=%d' % SIZE, '--runtime=%g' % seconds, '--time_based', '--output-format=json'],
                       capture_output=True, text=True)
    if r.returncode:
        return None
    job = json.loads(r.stdout[r.stdout.index('{'):])['jobs'][0]
    return job['write' if op in 'wW' else 'read']['iops']


def loop_device(path):
    """A loop block device on that file, or None, said aloud."""
    if not shutil.which('losetup'):
        print('no loop device: there is no losetup')
        return None
    r = subprocess.run(['losetup', '-f', '--show', path], capture_output=True, text=True)
    if r.returncode:
        print('no loop device: ' + r.stderr.strip())
        return None
    return r.stdout.strip()


def direct(path):
    try:
        os.close(os.open(path, os.O_RDWR | os.O_DIRECT))
        return True
    except OSError:
        return False


def machines(qemu, rom, path, accel='kvm'):
    spec = 'if=none,id=d,format=raw,file=%s,cache=%s,aio=io_uring' % (path, 'none' if direct(path) else 'writeback')
    evmm = [support.EVMM, '-accel', accel, '-drive', spec, '-device', 'virtio-blk-pci,drive=d,num-queues=2']
    other = [qemu, '-accel', 'kvm' if accel == 'kvm' else 'tcg', '-name', 'q,debug-threads=on', '-drive', spec + ',file.locking=off',
             '-object', 'iothread,id=t', '-device', 'virtio-blk-pci,drive=d,num-queues=2,iothread=t']
    evmm[evmm.index(spec)] = spec + ',file.locking=off'
    return evmm, other


def measure(qemu, rom, place, path, words, runs, seconds, accel, pin=True):
    """{case: {'evmm': [...], 'qemu': [...], 'fio': [...]}}"""
    cpus = pinning.host_cpus() if pin else None
    pair = [Machine(argv, rom, cpus) for argv in machines(qemu, rom, path, accel)]
    got = {}
    try:
        for name, *load in cases():
            name = '%s, %s' % (place, name)
            if words and not all(w in name for w in words):
                continue
            mine = got[name] = {'evmm': [], 'qemu': [], 'fio': []}
            for i in range(runs):
                order = ('evmm', 'qemu') if i % 2 == 0 else ('qemu', 'evmm')
                for who in order:
                    mine[who].append(pair[who == 'qemu'].run(*load, seconds))
                limit = fio(path, direct(path), *load[:3], seconds, cpus) if shutil.which('fio') else None
                if limit:
                    mine['fio'].append(limit)
    finally:
        for m in pair:
            m.end()
    return got


def report(got, rows):
    print('%-52s %9s %9s %6s %9s %6s   %6s %6s %6s   %6s %6s %6s' % (
        'case', 'evmm/s', 'qemu/s', 'ratio', 'fio/s', 'ratio', 'us', 'qemu', 'ratio', 'us, dev', 'qemu', 'ratio'))
    for name, g in got.items():
        def med(who, what):
            return statistics.median(r[what] for r in g[who])
        limit = statistics.median(g['fio']) if g['fio'] else None
        # Of pairs: what else the machine does, it does to both.
        ratio = {w: statistics.median(e[w] / q[w] for e, q in zip(g['evmm'], g['qemu'])) for w in ('iops', 'cpu', 'host')}
        print('%-52s %9.0f %9.0f %6.2f %9s %6s   %6.1f %6.1f %6.2f   %6.1f %6.1f %6.2f' % (
            name, med('evmm', 'iops'), med('qemu', 'iops'), ratio['iops'], '%.0f' % limit if limit else '',
            '%.2f' % (med('evmm', 'iops') / limit) if limit else '', med('evmm', 'cpu'), med('qemu', 'cpu'), ratio['cpu'],
            med('evmm', 'host'), med('qemu', 'host'), ratio['host']))
        for what, unit, better in (('iops', '1/s', 'higher'), ('cpu', 'us', 'lower'), ('host', 'us', 'lower')):
            rows.append({'case': '%s, %s' % (name, {'iops': 'requests a second', 'cpu': 'CPU time of a request', 'host': 'CPU time without the vCPU'}[what]),
                         'evmm': round(med('evmm', what), 2), 'qemu': round(med('qemu', what), 2),
                         'limit': round(limit, 1) if limit and what == 'iops' else None, 'unit': unit, 'better': better})
