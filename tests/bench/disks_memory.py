# SPDX-License-Identifier: BSD-2-Clause
"""For tests/bench/disk: what registered guest memory saves. The guest of disks_kvm.py, evmm with -overcommit mem-lock=on beside evmm without."""
import statistics

import disks_kvm
import pinning
import support


def measure(rom, place, path, words, runs, seconds, accel):
    spec = 'if=none,id=d,format=raw,file.locking=off,file=%s,cache=none,aio=io_uring' % path
    argv = [support.EVMM, '-accel', accel, '-drive', spec, '-device', 'virtio-blk-pci,drive=d,num-queues=2']
    cpus = pinning.host_cpus()
    pair = {'plain': disks_kvm.Machine(argv, rom, cpus), 'locked': disks_kvm.Machine(argv + ['-overcommit', 'mem-lock=on'], rom, cpus)}
    got = {}
    try:
        for name, *load in disks_kvm.cases():
            name = '%s, %s' % (place, name)
            if words and not all(w in name for w in words):
                continue
            mine = got[name] = {'plain': [], 'locked': []}
            for i in range(runs):
                for who in ('plain', 'locked') if i % 2 else ('locked', 'plain'):
                    mine[who].append(pair[who].run(*load, seconds))
    finally:
        for m in pair.values():
            m.end()
    return got


def report(got, rows):
    print('%-52s %9s %9s %6s   %6s %6s %6s' % ('case', 'plain/s', 'locked/s', 'ratio', 'us', 'locked', 'ratio'))
    for name, g in got.items():
        med = {(who, w): statistics.median(r[w] for r in g[who]) for who in g for w in ('iops', 'host')}
        ratio = {w: statistics.median(b[w] / a[w] for a, b in zip(g['plain'], g['locked'])) for w in ('iops', 'host')}
        print('%-52s %9.0f %9.0f %6.2f   %6.2f %6.2f %6.2f' % (name, med['plain', 'iops'], med['locked', 'iops'], ratio['iops'],
                                                            med['plain', 'host'], med['locked', 'host'], ratio['host']))
        for w, unit, better in (('iops', '1/s', 'higher'), ('host', 'us', 'lower')):
            rows.append({'case': '%s, %s' % (name, 'requests a second' if w == 'iops' else 'CPU time without the vCPU'),
                         'evmm': round(med['locked', w], 2), 'plain': round(med['plain', w], 2), 'qemu': None, 'limit': None,
                         'unit': unit, 'better': better})
