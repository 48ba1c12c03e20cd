# SPDX-License-Identifier: BSD-2-Clause
"""The disk engine on a block device with poll queues: few hosts have one, but a guest's kernel makes one of our virtio-blk."""
import os
import re
import subprocess

from support import EVMM, Skip, check, evmm, initrd, kernel, modules
from systems_options import made


def program(name):
    """A test program and the libraries that it needs; how it is called in the guest."""
    path = os.path.join(os.path.dirname(EVMM), 'tests', 'unit', name)
    if not os.path.exists(path):
        raise Skip('tests/unit/%s is not built' % name)
    libraries = re.findall(r'(/\S+) \(0x', subprocess.run(['ldd', path], capture_output=True, text=True).stdout)
    if not libraries or any('libasan' in lib for lib in libraries):
        raise Skip('%s is built with sanitizers' % name)
    loader = next(lib for lib in libraries if '/ld-' in lib)
    return [path] + libraries, './%s --library-path . ./%s' % (os.path.basename(loader), name)


def interrupts(g, queue):
    """How often the disk's request queue QUEUE has interrupted."""
    out = g.run('cat /proc/interrupts')[1]
    found = re.search(r'^ *\d+: +([\d ]+?) +\S.*virtio\d+-req\.%d' % queue, out, re.M)
    return found and sum(map(int, found.group(1).split()))


def test_device_with_poll_queues():
    """Requests to a device with poll queues are polled for, nothing is lost, and the device does not interrupt for them."""
    files, call = program('test_uring')
    disk = made('polled', size=16 << 20)
    mods = modules('cloud-amd64', 'virtio_pci', 'virtio_blk')
    with evmm('-M', 'q35', '-accel', 'soft', '-smp', '2', '-m', '384', '-kernel', kernel(), '-initrd', initrd(*files, *mods),
              '-append', 'console=ttyS0 quiet', '-nographic', '-drive', 'if=none,id=d,format=raw,file=%s' % disk,
              '-device', 'virtio-blk-pci,drive=d,num-queues=2') as g:
        g.login(120)
        for m in map(os.path.basename, mods):
            status, out = g.run('insmod %s%s' % (m, ' poll_queues=1' if m == 'virtio_blk.ko' else ''), 60)
            check(status == 0, out)
        g.run('for i in $(seq 100); do [ -b /dev/vda ] && break; sleep .2; done', 60)
        out = g.run('cat /sys/block/vda/queue/io_poll')[1]
        check(out.split()[:1] == ['1'], 'io_poll: ' + out)
        before = interrupts(g, 0)
        check(before is not None and interrupts(g, 1) is None, g.run('cat /proc/interrupts')[1])
        status, out = g.run('EVMM_TEST_POLLED_DEVICE=/dev/vda ' + call, 120)
        check(status == 0, out)
        said = re.search(r'polled: (\d+) submissions of (\d+)', out)
        check(said, out)
        # 512 requests and 8 flushes; half of the requests at least are polled.
        count = interrupts(g, 0) - before
        check(int(said.group(1)) >= 8 and count <= 264, 'the disk has interrupted %d times: %s' % (count, said.group(0)))
