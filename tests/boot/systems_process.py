# SPDX-License-Identifier: BSD-2-Clause
"""The process as managers start it: daemons, pid files, other users and roots, options in files, messages."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from support import EVMM, WORK, Skip, check

COMMON = ['-accel', 'soft', '-display', 'none', '-nodefaults', '-S']


def run(*args, cwd=None, limit=60):
    return subprocess.run([EVMM] + list(args), capture_output=True, text=True, timeout=limit, cwd=cwd,
                          stdin=subprocess.DEVNULL)


def gone(pid, limit=30):
    end = time.time() + limit
    while time.time() < end:
        try:
            if open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()[0] == 'Z':
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


class Daemon:
    """One that runs in a folder of its own, with a monitor at mon.sock."""

    def __init__(self, *args):
        self.dir = tempfile.mkdtemp(dir=WORK)
        os.chmod(self.dir, 0o777)
        self.result = run(*COMMON, '-daemonize', '-pidfile', 'pid', '-monitor', 'unix:mon.sock,server=on,wait=off', *args,
                          cwd=self.dir)
        check(self.result.returncode == 0, 'status %d: %s' % (self.result.returncode, self.result.stderr))
        self.pid = int(open(self.path('pid')).read())

    def path(self, name):
        return os.path.join(self.dir, name)

    def hmp(self, line):
        """What the monitor says to LINE."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(30)
        s.connect(self.path('mon.sock'))
        got = b''
        for text in ('', line + '\n'):
            s.sendall(text.encode())
            got = b''
            while not got.endswith(b'(evmm) '):
                more = s.recv(4096)
                if not more:
                    break
                got += more
        s.close()
        return got.decode()

    def status(self, key):
        return re.search(r'^%s:\s*(.*)$' % key, open('/proc/%d/status' % self.pid).read(), re.M).group(1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except OSError:
            pass
        if not gone(self.pid):
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError('the daemon does not end')


def test_daemonize():
    """The command ends when the monitor can be reached; at the daemon's end its files are gone."""
    with Daemon('-name', 'guest=vm1,process=evmm-vm1,debug-threads=on') as d:
        check(d.result.stderr == '' or 'info:' in d.result.stderr, d.result.stderr)
        check('VM status: paused' in d.hmp('info status'), 'no answer')
        check('vm1' in d.hmp('info name'), 'no name')
        check(d.status('Name') == 'evmm-vm1', 'called ' + d.status('Name'))
        check(os.readlink('/proc/%d/cwd' % d.pid) == '/', 'not in the root directory')
        check(all(os.readlink('/proc/%d/fd/%d' % (d.pid, fd)) == '/dev/null' for fd in (0, 1, 2)), 'has a terminal')
        r = run(*COMMON, '-pidfile', d.path('pid'))
        check(r.returncode == 1 and 'process %d has it' % d.pid in r.stderr, r.stderr)
    check(not os.path.exists(d.path('pid')) and not os.path.exists(d.path('mon.sock')), 'files are left')


def test_daemonize_errors():
    """What goes wrong before the daemon is ready is the command's own error."""
    for args, word in ((['-drive', 'file=/nonexistent/disk'], '/nonexistent/disk'), (['-no-such-option'], '-no-such-option'),
                       (['-serial', 'stdio'], 'terminal'), (['-nographic'], 'terminal'), (['-chroot', '/nonexistent'], '-chroot'),
                       (['-runas', 'nobody-of-that-name'], '-runas'), (['-pidfile', '/nonexistent/pid'], '-pidfile')):
        r = run('-accel', 'soft', '-S', '-daemonize', *args)
        check(r.returncode == 1 and word in r.stderr, '%r: %d, %s' % (args, r.returncode, r.stderr))
    check(run('-daemonize', '-version').returncode == 0, '-version')


def test_user_and_root():
    """-runas and -chroot, when all is open."""
    if os.getuid():
        raise Skip('needs root')
    jail = tempfile.mkdtemp(dir=WORK)
    for how in (['-runas', '12345:12346', '-chroot', jail], ['-run-with', 'user=12345:12346,chroot=' + jail]):
        with Daemon(*how) as d:
            check(d.status('Uid').split() == ['12345'] * 4, d.status('Uid'))
            check(d.status('Gid').split() == ['12346'] * 4 and d.status('Groups').split() in (['12346'], []), 'groups')
            check(os.readlink('/proc/%d/root' % d.pid) == jail, 'its root is another')
            check('paused' in d.hmp('info status'), 'no answer')
    with Daemon('-runas', 'nobody') as d:
        check(d.status('Uid').split()[0] == '65534', d.status('Uid'))


def test_sandbox():
    """-sandbox on, with every group denied: a filter on all threads; disks, chardevs and the monitor go on working."""
    r = run('-sandbox', 'on', '-version')
    if 'no libseccomp' in r.stderr:
        raise Skip('built without libseccomp')
    folder = tempfile.mkdtemp(dir=WORK)
    disk = os.path.join(folder, 'disk')
    open(disk, 'wb').truncate(1 << 20)
    for aio in ('threads', 'io_uring'):
        with Daemon('-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny', '-M', 'pc',
                    '-serial', 'unix:%s/s,server=on,wait=off' % folder,
                    '-drive', 'file=%s,format=raw,if=virtio,cache=none,aio=%s' % (disk, aio)) as d:
            tasks = os.listdir('/proc/%d/task' % d.pid)
            for t in tasks:
                said = open('/proc/%d/task/%s/status' % (d.pid, t)).read()
                check('Seccomp:\t2' in said and 'NoNewPrivs:\t1' in said, said)
            check(d.hmp('cont') is not None and 'running' in d.hmp('info status'), 'does not run')
            check('virtio' in d.hmp('info block'), d.hmp('info block'))
            check(d.hmp('block_resize virtio0 2M') is not None, 'resize')
            check('running' in d.hmp('info status'), 'it is gone')


def test_pid_file_is_a_file():
    """A pid file that is no regular file is refused, and still there: at the end evmm removes its pid file."""
    path = os.path.join(tempfile.mkdtemp(dir=WORK), 'fifo')
    os.mkfifo(path)
    r = run(*COMMON, '-pidfile', path)
    check(r.returncode == 1 and '-pidfile %s: not a regular file' % path in r.stderr, repr(r))
    check(os.path.exists(path), 'it was removed')


def test_closed_standard_descriptors():
    """Started with stdin, stdout and stderr closed: what is printed reaches no image, and the machine runs."""
    folder = tempfile.mkdtemp(dir=WORK)
    disk = os.path.join(folder, 'disk')
    open(disk, 'wb').truncate(1 << 20)
    script = '"$0" "$@" <&- >&- 2>&-'
    args = ['-accel', 'soft', '-display', 'none', '-drive', 'file=%s,format=raw,if=virtio' % disk, '-d', 'int']
    for console in (['-serial', 'stdio'], ['-nographic'], ['-qmp', 'stdio']):
        r = subprocess.run(['timeout', '2', 'sh', '-c', 'exec ' + script, EVMM] + args + console, timeout=60)
        check(r.returncode == 124, '%s: exit status %d, not that of timeout' % (console, r.returncode))
        check(not any(open(disk, 'rb').read()), '%s: the image was written to' % console)


def test_descriptors_of_a_manager():
    """A disk that evmm could not open itself, by -add-fd; -device and -object as JSON."""
    folder = tempfile.mkdtemp(dir=WORK)
    disk = os.path.join(folder, 'disk')
    open(disk, 'wb').truncate(1 << 20)
    fd = os.open(disk, os.O_RDWR)
    os.unlink(disk)
    args = ['-accel', 'soft', '-display', 'none', '-nodefaults', '-S', '-M', 'pc', '-add-fd', 'fd=%d,set=5,opaque=disk' % fd,
            '-blockdev', '{"driver":"file","filename":"/dev/fdset/5","node-name":"n"}',
            '-object', '{"qom-type":"secret","id":"s","data":"x"}',
            '-device', '{"driver":"virtio-blk-pci","drive":"n","id":"d"}', '-monitor', 'stdio']
    r = subprocess.run([EVMM] + args, input='info block\ninfo qtree\nquit\n', capture_output=True, text=True, timeout=60,
                       pass_fds=(fd,))
    os.close(fd)
    check(r.returncode == 0 and '/dev/fdset/5' in r.stdout and 'id "d"' in r.stdout, r.stdout + r.stderr)
    r = run('-add-fd', 'fd=77,set=1')
    check(r.returncode == 1 and 'fd=77' in r.stderr and len(r.stderr.splitlines()) == 1, r.stderr)


def test_stale_sockets():
    """A socket that nobody listens at is replaced; one that somebody has is not."""
    folder = tempfile.mkdtemp(dir=WORK)
    path = os.path.join(folder, 'stale')
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.close()
    with Daemon('-serial', 'unix:%s,server=on,wait=off' % path):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        r = run(*COMMON, '-serial', 'unix:%s,server=on,wait=off' % path)
        check(r.returncode == 1 and path in r.stderr, r.stderr)
        s.close()
    check(not os.path.exists(path), 'the socket is left')


def test_readconfig():
    """Options in a file, and mistakes in it by their line."""
    folder = tempfile.mkdtemp(dir=WORK)
    path = os.path.join(folder, 'config')

    def with_text(text, *args):
        open(path, 'w').write(text)
        return run('-accel', 'soft', '-display', 'none', '-readconfig', path, *args)

    good = '''# a machine
[machine]
  type = "pc"
[memory]
  size = "64"
[smp-opts]
  cpus = "2"
[name]
  guest = "from, a file"
[chardev "c0"]
  backend = "socket"
  path = "%s/mon.sock"
  server = "on"
  wait = "off"
[mon "m0"]
  chardev = "c0"
  mode = "readline"
[device "rng"]
  driver = "virtio-rng-pci"
''' % folder
    open(path, 'w').write(good)
    with Daemon('-no-user-config', '-readconfig', path) as d:
        os.rename(os.path.join(folder, 'mon.sock'), d.path('mon.sock'))
        check('from, a file' in d.hmp('info name'), 'the name is not there')
        check(len(re.findall(r'CPU #\d', d.hmp('info cpus'))) == 2, d.hmp('info cpus'))
        check('virtio-rng' in d.hmp('info qtree'), 'the device is not there')
    for text, words in (('[nonsense]\n', ('line 1', "'nonsense'")), ('\n\nkey = "x"\n', ('line 3', 'section')),
                        ('[device\n', ('line 1',)), ('[device "a]\n', ('line 1',)), ('[memory]\nsize = 64\n', ('line 2', 'quotes')),
                        ('[memory]\nsize\n', ('line 2',)), ('[memory]\n size = "x"\n', ('[m]', 'x')),
                        ('[readconfig]\n', ('line 1',)), ('\0\xff[', ())):
        r = with_text(text)
        check(r.returncode == 1 and len(r.stderr.splitlines()) == 1 and path in r.stderr and all(w in r.stderr for w in words),
              '%r: %s' % (text, r.stderr))
    check(run('-readconfig', '/nonexistent/config').returncode == 1, 'no file')


def test_timestamps():
    """-msg: the time and the guest's name before each message."""
    r = run('-msg', 'timestamp=on,guest-name=on', '-name', 'vm2', '-accel', 'soft', '-drive', 'file=/nonexistent/disk')
    check(all(re.match(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z vm2 evmm: ', l) for l in r.stderr.splitlines()), r.stderr)
    check(run('-msg', 'timestamp=maybe').returncode == 1 and run('-msg', 'x=on').returncode == 1, 'nonsense is taken')
