# SPDX-License-Identifier: BSD-2-Clause
"""For tests/bench/disk: fio in a Debian system, evmm's software CPU beside QEMU TCG, and fio on the host as the limit."""
import shutil
import statistics
import subprocess
import sys

import pinning
import support
from systems_debian import Debian

RW = {('read', 4096): 'randread', ('write', 4096): 'randwrite', ('read', 1 << 20): 'read', ('write', 1 << 20): 'write'}
# Where fio's terse output (version 3) has the requests a second.
FIELD = {'read': 7, 'write': 48}


def command(filename, direct, op, size, depth, seconds):
    return ('fio --name=t --filename=%s --direct=%d --ioengine=libaio --rw=%s --bs=%d --iodepth=%d --runtime=%g --time_based '
            '--randrepeat=0 --output-format=terse --terse-version=3' % (filename, direct, RW[op, size], size, depth, seconds))


def iops(out, op):
    line = next(l for l in out.splitlines() if l.startswith('3;'))
    return float(line.split(';')[FIELD[op]])


def guest(vmm, more, cases, seconds, cpus):
    """{case: requests a second}"""
    got = {}
    with Debian('pc', ',cache=unsafe', 'virtio-blk-pci,drive=d', more=more, vmm=vmm, smp=1) as g:
        pinning.pin(g.proc.pid, cpus)
        for case, place, *load in cases:
            status, out = g.run(command('/dev/disk/by-id/virtio-' + place, 1, *load, seconds), 120)
            support.check(status == 0, out)
            got[case] = iops(out, load[0])
    return got


def measure(qemu, images, loads, name_of, words, runs, seconds, direct, cpus):
    """Rows of (case, evmm, QEMU, host)."""
    cases = [(name_of(place, *load), place, *load) for place, _ in images for load in loads]
    cases = [c for c in cases if all(w in c[0] for w in words)]
    got = {'evmm': [], 'qemu': []}
    for i in range(runs):
        for who, vmm in (('evmm', [support.EVMM, '-accel', 'soft', '-cpu', 'max']), ('qemu', [qemu, '-accel', 'tcg', '-cpu', 'max', '-name', 'q,debug-threads=on'])):
            print('run %d of %d: %s' % (i + 1, runs, who), file=sys.stderr, flush=True)
            more = []
            for place, path in images:
                more += ['-drive', 'if=none,id=%s,format=raw,file=%s,cache=%s,aio=io_uring' % (place, path, direct(path)), '-object', 'iothread,id=t' + place,
                         '-device', 'virtio-blk-pci,drive=%s,serial=%s,iothread=t%s' % (place, place, place)]
            got[who].append(guest(vmm, more, cases, seconds, cpus))
    paths = dict(images)
    for case, place, *load in cases:
        limit = None
        if shutil.which('fio'):
            r = subprocess.run(command(paths[place], direct(paths[place]) == 'none', *load, seconds).split(), capture_output=True, text=True)
            limit = iops(r.stdout, load[0]) if r.returncode == 0 else None
        yield (case, *(statistics.median(run[case] for run in got[who]) for who in ('evmm', 'qemu')), limit)
