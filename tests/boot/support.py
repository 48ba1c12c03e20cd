# SPDX-License-Identifier: BSD-2-Clause
"""What the systems tests share: the program under test, kernels, an initramfs, checks."""
import atexit
import os
import re
import shutil
import subprocess
import tempfile

from console import Guest

HERE = os.path.dirname(os.path.abspath(__file__))
EVMM = os.environ.get('EVMM') or os.path.join(HERE, '..', '..', 'build', 'evmm')
WORK = tempfile.mkdtemp(prefix='evmm-systems.')
atexit.register(shutil.rmtree, WORK, ignore_errors=True)


class Skip(Exception):
    pass


def variants(*args):
    """Runs a case once for each tuple of arguments."""
    def set_variants(fn):
        fn.variants = [a if isinstance(a, tuple) else (a,) for a in args]
        return fn
    return set_variants


def check(condition, message):
    if not condition:
        raise AssertionError(message)


_cache = {}


def _made(key, make):
    if key not in _cache:
        _cache[key] = make()
    return _cache[key]


def kernel(flavour='cloud-amd64'):
    """Debian's kernel image of that flavour, from its package."""
    def make():
        r = subprocess.run([os.path.join(HERE, 'get-kernel'), flavour], capture_output=True, text=True)
        if r.returncode:
            raise Skip('no kernel: ' + r.stderr.strip())
        return r.stdout.strip()
    return _made(('kernel', flavour), make)


def installer(kind):
    """Folder of Debian's installer of that kind: linux, initrd.gz."""
    def make():
        r = subprocess.run([os.path.join(HERE, 'get-installer'), kind], capture_output=True, text=True)
        if r.returncode:
            raise Skip('no installer: ' + r.stderr.strip())
        return r.stdout.strip()
    return _made(('installer', kind), make)


def vmlinux(flavour='cloud-amd64'):
    """The same kernel as an uncompressed ELF with its PVH note."""
    def make():
        out = os.path.join(WORK, 'vmlinux-' + flavour)
        subprocess.run([os.path.join(HERE, 'extract-vmlinux'), kernel(flavour), out], check=True)
        return out
    return _made(('vmlinux', flavour), make)


def modules(flavour, *names):
    """Paths of that kernel's modules and of what they depend on, in the order in which they load."""
    folder = os.path.join(os.path.dirname(kernel(flavour)), 'modules-' + flavour)
    paths = _made(('modules', flavour), lambda: {f[:-3].replace('-', '_'): os.path.join(d, f)
                                                 for d, _, files in os.walk(folder) for f in files})
    order = []
    def add(name):
        depends = re.search(rb'\0depends=([^\0]*)', open(paths[name], 'rb').read())
        for other in filter(None, depends.group(1).decode().split(',') if depends else []):
            add(other.replace('-', '_'))
        if paths[name] not in order:
            order.append(paths[name])
    for name in names:
        add(name)
    return order


def initrd(*extra):
    """An initramfs; the files EXTRA and those of tests/boot/guest are in /root."""
    def make():
        out = os.path.join(WORK, 'initrd%d.gz' % len(_cache))
        guest = os.path.join(HERE, 'guest')
        files = [os.path.join(guest, f) for f in sorted(os.listdir(guest))] + list(extra)
        button = os.path.join(os.path.dirname(kernel()), 'button-cloud-amd64.ko')
        files += [button] if os.path.exists(button) else []
        subprocess.run([os.path.join(HERE, 'mk-initramfs'), out] + files, check=True)
        return out
    return _made(('initrd',) + extra, make)


def linux_args(*extra, image=None, append='console=ttyS0', mem='512', files=()):
    return ['-m', mem, '-kernel', image or kernel(), '-initrd', initrd(*files), '-append', append,
            '-nographic'] + list(extra)


def evmm(*args, **kw):
    return Guest([EVMM] + list(args), **kw)


def linux(*extra, **kw):
    """A guest at its shell prompt."""
    limit = kw.pop('limit', 120)
    g = evmm(*linux_args(*extra, **kw))
    try:
        g.login(limit)
    except BaseException:
        g.kill()
        raise
    return g


def evmm_fails(*args, limit=10):
    """Runs evmm to its end; its one line on stderr, with the exit status checked to be 1."""
    r = subprocess.run([EVMM] + list(args), capture_output=True, text=True, timeout=limit,
                       stdin=subprocess.DEVNULL)
    check(r.returncode == 1, 'exit status %d, stderr: %s' % (r.returncode, r.stderr))
    lines = [l for l in r.stderr.splitlines() if 'info:' not in l and 'warning:' not in l]
    check(len(lines) == 1 and lines[0].startswith('evmm: '), 'not one clear line: %r' % r.stderr)
    return lines[0]


def resident_beyond_ram(pid):
    """KiB resident in process PID outside the guest's RAM, the one mapping of 256 MiB or more."""
    beyond = size = 0
    for line in open('/proc/%d/smaps' % pid):
        if re.match(r'[0-9a-f]+-[0-9a-f]+ ', line):
            a, b = line.split()[0].split('-')
            size = int(b, 16) - int(a, 16)
        elif line.startswith('Rss:') and size < 256 << 20:
            beyond += int(line.split()[1])
    return beyond
