# SPDX-License-Identifier: BSD-2-Clause
"""What aio=io_uring does only on some hosts: a block device with poll queues (a guest's kernel makes one of our virtio-blk), guest memory
that is registered with the kernel."""
import hashlib
import os
import re
import resource
import subprocess
import tempfile

from support import EVMM, Skip, check, evmm, initrd, kernel, modules, variants
from systems_block import direct_works
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
    disk = made('polled', bytes(16 << 20))
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


def monitor(g, command, pattern=r'\(evmm\) '):
    """Has the monitor do it, and sees that its answer has PATTERN."""
    g.send('\x01c')
    g.expect(r'\(evmm\) ')
    g.send(command + '\n')
    g.expect(pattern)
    g.send('\x01c')


def huge_pages():
    """Guest memory of 256 MiB in huge pages, and a balloon that takes some of it away."""
    free = re.search(r'HugePages_Free: +(\d+)', open('/proc/meminfo').read())
    if not free or int(free.group(1)) < 128 or 'Hugepagesize:       2048 kB' not in open('/proc/meminfo').read():
        raise Skip('128 huge pages are not free (/proc/sys/vm/nr_hugepages)')
    return ['-object', 'memory-backend-memfd,id=huge,size=256M,hugetlb=on,prealloc=on', '-machine', 'memory-backend=huge']


@variants('locked', 'huge')
def test_registered_memory(kind):
    """A guest whose memory stays in RAM has it registered; its disk reads and writes right, also when a balloon has been through memory."""
    more = ['-overcommit', 'mem-lock=on'] if kind == 'locked' else huge_pages()
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if kind == 'locked' and os.geteuid() and limit != resource.RLIM_INFINITY and limit < 1 << 30:
        raise Skip('no more than %d KiB may be locked (ulimit -l)' % (limit >> 10))
    if not direct_works('/var/tmp'):
        raise Skip('/var/tmp has no O_DIRECT')
    mods = modules('cloud-amd64', 'virtio_pci', 'virtio_blk', 'virtio_balloon')
    data = os.urandom(48 << 20)
    with tempfile.NamedTemporaryFile(dir='/var/tmp') as image:
        image.write(data)
        image.flush()
        with evmm('-accel', 'soft', '-m', '256', '-kernel', kernel(), '-initrd', initrd(*mods), '-append', 'console=ttyS0 quiet', '-nographic',
                  '-drive', 'if=none,id=d,format=raw,cache=none,aio=io_uring,file=' + image.name, '-device', 'virtio-blk-pci,drive=d',
                  '-device', 'virtio-balloon-pci,free-page-reporting=on', *more) as g:
            g.login(120)
            for m in map(os.path.basename, mods):
                status, out = g.run('insmod ' + m, 60)
                check(status == 0, out)
            for turn, mib in enumerate((256, 128, 256)):
                monitor(g, 'balloon %d' % mib)
                g.run('sleep 3', 60)
                out = g.run('echo 3 >/proc/sys/vm/drop_caches; md5sum /dev/vda', 120)[1]
                check(hashlib.md5(data).hexdigest() in out, 'turn %d: %s' % (turn, out))
                status, out = g.run('dd if=/dev/vda of=/dev/vda bs=1M skip=%d seek=%d count=8 conv=notrunc,fsync 2>&1' %
                                    (turn * 8, 24 + turn * 8), 60)
                check(status == 0, out)
                mine = bytearray(data)
                mine[(24 + turn * 8) << 20:(32 + turn * 8) << 20] = data[(turn * 8) << 20:(turn * 8 + 8) << 20]
                data = bytes(mine)
                check(open(image.name, 'rb').read() == data, 'turn %d: the image has something else' % turn)
            monitor(g, 'info loop', r'io_uring-memory +[1-9]')
