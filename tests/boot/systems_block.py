# SPDX-License-Identifier: BSD-2-Clause
"""The block engine under Linux on virtio-blk: every cache mode on every engine, evmm killed under writes.

EVMM_KILLS says how often test_killed kills (4).
"""
import os
import random
import struct
import subprocess
import tempfile
import time

from support import HERE, WORK, Skip, check, evmm, initrd, kernel, modules

BLOCK = 4096


def static_program(folder, name):
    """The program of tests/FOLDER/NAME.c, for any Linux."""
    path = os.path.join(WORK, name)
    if not os.path.exists(path):
        r = subprocess.run(['cc', '-O2', '-static', '-o', path, os.path.join(HERE, '..', folder, name + '.c')],
                           capture_output=True, text=True)
        if r.returncode:
            raise Skip('no static C library: ' + r.stderr.strip()[-200:])
    return path


def diskwork():
    return static_program('bench', 'diskwork')


def image(name, size, folder=WORK):
    path = os.path.join(folder, name)
    with open(path, 'wb') as f:
        f.truncate(size)
    return path


def linux(*args, files=(), limit=180):
    """Debian's kernel with virtio-blk, at its shell; diskwork is in /root."""
    paths = modules('cloud-amd64', 'virtio_pci', 'virtio_blk')
    g = evmm('-m', '256', '-accel', 'soft', '-kernel', kernel(), '-initrd', initrd(*paths, *files, diskwork()),
             '-append', 'console=ttyS0 quiet', '-nographic', *args)
    try:
        g.login(limit)
        out = g.run('; '.join('insmod %s || echo failed %s' % (os.path.basename(m), m) for m in paths), limit)[1]
        check('failed' not in out, out)
        g.run('for i in $(seq 100); do [ -b /dev/vda ] && break; sleep .2; done', limit)
    except BaseException:
        g.kill()
        raise
    return g


def direct_works(folder):
    path = image('direct', 65536, folder)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_DIRECT))
        return True
    except OSError:
        return False
    finally:
        os.unlink(path)


def test_modes():
    """Random writes, zeroes, discards and reads hold what they must in each cache mode, on each engine, on ext4 and tmpfs."""
    args, names = [], []
    shm = tempfile.mkdtemp(prefix='evmm-block.', dir='/dev/shm')
    try:
        for folder in (WORK, shm):
            direct = direct_works(folder)
            for cache in 'writeback', 'none', 'writethrough', 'directsync', 'unsafe':
                for aio in 'io_uring', 'threads', 'native':
                    is_direct = cache in ('none', 'directsync')
                    if (is_direct and not direct) or (aio == 'native' and not is_direct):
                        continue
                    # On tmpfs nothing is slow to be flushed: a few will do.
                    if folder == shm and cache in ('writethrough', 'directsync'):
                        continue
                    n = len(names)
                    path = image('modes%d' % n, 8 << 20, folder)
                    args += ['-drive', 'if=none,id=d%d,format=raw,discard=unmap,detect-zeroes=%s,file=%s,cache=%s,aio=%s'
                             % (n, 'unmap' if n % 3 == 2 else 'off', path, cache, aio),
                             '-device', 'virtio-blk-pci,drive=d%d,packed=%s%s' %
                             (n, 'on' if n % 2 else 'off', ',logical_block_size=4096' if n % 4 == 3 else '')]
                    names.append('%s, %s, %s' % ('tmpfs' if folder == shm else 'file', cache, aio))
        with linux(*args) as g:
            for n, name in enumerate(names):
                status, out = g.run('/root/diskwork verify /dev/vd%c 400 %d %d' %
                                    (ord('a') + n, (1, 8, 32)[n % 3], n + 1), 120)
                check(status == 0 and 'verified 400' in out, '%s: %s' % (name, out))
    finally:
        subprocess.run(['rm', '-rf', shm])


def test_stall():
    """A host that doesn't answer for 30 s holds up that request alone: the guest's other disk and the monitor go on."""
    rules = ','.join('file.inject-error.0.' + r for r in ('sector=8192', 'errno=0', 'once=on', 'delay-ns=30000000000'))
    with linux('-blockdev', 'driver=raw,node-name=slow,file.driver=blkdebug,file.image.driver=file,file.image.filename=%s,%s'
               % (image('slow', 8 << 20), rules), '-device', 'virtio-blk-pci,drive=slow',
               '-drive', 'if=virtio,id=quick,format=raw,file=' + image('quick', 8 << 20)) as g:
        g.send('(time dd if=/dev/vda of=/dev/null bs=512 skip=8192 count=1 iflag=direct) 2>&1 | grep real &\n')
        g.expect('the host has not answered a request for', 30)
        status, out = g.run('dd if=/dev/vdb of=/dev/null bs=1M iflag=direct', 20)
        check(status == 0, out)
        g.send('\x01c')
        g.send('info blockstats\n')
        g.expect(r'^slow: .* in_flight=1 oldest_ns=\d{10,}\n', 15)
        g.send('\x01c')
        m = g.expect(r'real\s+(\d+)m ([\d.]+)s', 60)
        check(int(m.group(1)) * 60 + float(m.group(2)) >= 30, m.group(0))


# ---- evmm is killed ----

def stamp_block(generation, blocks):
    return ((generation * 2654435761) >> 7) % blocks


def check_stamps(path, blocks, safe):
    """Each block has the generation that was safe, or one written after it; and all of it."""
    latest, possible = {}, {}
    for g in range(1, safe + 33):
        b = stamp_block(g, blocks)
        if g <= safe:
            latest[b] = g
        possible.setdefault(b, set()).add(g)
    data = open(path, 'rb').read()
    for b in range(blocks):
        for at in range(b * BLOCK, (b + 1) * BLOCK, 512):
            block, generation = struct.unpack_from('<II', data, at)
            if not any(data[at:at + 512]):
                check(b not in latest, 'block %d is empty; generation %d was flushed' % (b, latest.get(b, 0)))
                continue
            check(block == b and generation in possible.get(b, ()), 'block %d has %d, %d' % (b, block, generation))
            check(generation >= latest.get(b, 0), 'block %d has generation %d; %d was flushed' % (b, generation, latest.get(b, 0)))


def test_killed():
    """What the guest was told is flushed is there after evmm was killed at any moment."""
    blocks = 512
    modes = [('none', 'io_uring'), ('writeback', 'io_uring'), ('none', 'native'), ('writeback', 'threads')]
    rng = random.Random(7)
    for n in range(int(os.environ.get('EVMM_KILLS', 4))):
        cache, aio = modes[n % len(modes)]
        path = image('killed', blocks * BLOCK)
        with linux('-drive', 'if=virtio,format=raw,file=%s,cache=%s,aio=%s' % (path, cache, aio)) as g:
            g.send('/root/diskwork stamp /dev/vda %d\n' % blocks)
            g.expect(r'^safe \d+\n', 60)
            end = time.monotonic() + rng.uniform(0.05, 2.5)
            while time.monotonic() < end:
                g._pump(0.01)
            g.proc.kill()
            g.proc.wait()
            while g._pump(0.2) and g._pump(0):
                pass
            said = [int(l[5:]) for l in g.text.split('\n')[:-1] if l.startswith('safe ') and l[5:].isdigit()]
        check(said, 'nothing was flushed')
        check_stamps(path, blocks, said[-1])
        os.unlink(path)
