# SPDX-License-Identifier: BSD-2-Clause
"""For tests/bench/disk: which host CPU a program's threads run on.

The vCPU has one, all other threads have another. On a host with two it decides on up to half of a disk's speed whether its interrupts
come to the CPU of the thread that waits for them, and where the scheduler has once put the threads of a program
that is never idle, they stay.
"""
import os
import re


def is_vcpu(name):
    return bool(re.match('vcpu|CPU ', name))


def host_cpus():
    """Two of them, or None where there is only one."""
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[:2] if len(cpus) > 1 else None


def threads(pid, what='comm'):
    """Of each thread: its number, and what that file of it says."""
    for tid in os.listdir('/proc/%d/task' % pid):
        try:
            yield int(tid), open('/proc/%d/task/%s/%s' % (pid, tid, what)).read()
        except (FileNotFoundError, ProcessLookupError):
            continue


def pin(pid, cpus):
    """CPUS: the host CPU of the vCPU, and that of all else; None: as the scheduler likes. QEMU needs -name NAME,debug-threads=on."""
    for tid, name in threads(pid):
        if cpus:
            os.sched_setaffinity(tid, {cpus[not is_vcpu(name)]})
