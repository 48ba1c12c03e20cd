# SPDX-License-Identifier: BSD-2-Clause
"""A real libvirt: its daemon in session mode, as nobody, probes evmm, starts domains whose emulator it is, and manages them."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from console import Guest
from support import EVMM, Skip, check, initrd, kernel, variants

NOBODY = 65534

# The guest has no daemon that listens to the power button; its interrupt is enough.
POWER_BUTTON = ("insmod button-cloud-amd64.ko; n() { awk '/acpi/ {print $2 + $3}' /proc/interrupts; }; b=$(n); "
                "(until [ $(n) -gt $b ]; do sleep 1; done; poweroff -f) >/dev/null 2>&1 & true")

DOMAIN = '''<domain type='qemu'>
  <name>v</name>
  <memory unit='MiB'>256</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='%(machine)s'>hvm</type>
    <kernel>%(dir)s/vmlinuz</kernel>
    <initrd>%(dir)s/initrd.gz</initrd>
    <cmdline>console=ttyS0</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='pit' tickpolicy='delay'/>
    <timer name='hpet' present='no'/>
  </clock>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>
  <devices>
    <emulator>%(dir)s/evmm</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none' discard='unmap'/>
      <source file='%(dir)s/a.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='%(dir)s/b.img'/>
      <target dev='sda' bus='scsi'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <target dev='%(cd)s' bus='%(cd_bus)s'/>
      <readonly/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <controller type='usb' model='none'/>
    <controller type='virtio-serial' index='0'/>
    <serial type='pty'><target port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='virtio'/>
    <video><model type='vga'/></video>
    <input type='mouse' bus='ps2'/>
    <input type='keyboard' bus='ps2'/>
  </devices>
</domain>
'''


class Libvirt:
    """A daemon with a folder of its own; virsh talks to it."""

    def __init__(self):
        if not shutil.which('virsh') or not shutil.which('libvirtd'):
            raise Skip('virsh or libvirtd is not installed (Debian: libvirt-clients, libvirt-daemon, libvirt-daemon-driver-qemu)')
        # Short: socket names in it must fit.
        self.dir = tempfile.mkdtemp(prefix='evmm-lv.', dir='/tmp')
        self.as_user = []
        if os.getuid() == 0:
            self.as_user = ['setpriv', '--reuid=%d' % NOBODY, '--regid=%d' % NOBODY, '--clear-groups']
        shutil.copy(EVMM, self.path('evmm'))
        shutil.copy(kernel(), self.path('vmlinuz'))
        shutil.copy(initrd(), self.path('initrd.gz'))
        for name in ('a.img', 'b.img', 'cd.iso'):
            open(self.path(name), 'wb').truncate(8 << 20)
        for name in ('home', 'run', 'log'):
            os.mkdir(self.path(name), 0o700)
        if self.as_user:
            for name in ['.'] + os.listdir(self.dir):
                os.chown(self.path(name), NOBODY, NOBODY)
        self.env = {'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'HOME': self.path('home'), 'XDG_RUNTIME_DIR': self.path('run'),
                    'XDG_CONFIG_HOME': self.path('home/.config'), 'XDG_CACHE_HOME': self.path('home/.cache'), 'LC_ALL': 'C',
                    'LIBVIRT_LOG_OUTPUTS': '2:file:' + self.path('log/libvirtd')}
        self.daemon = subprocess.Popen(self.as_user + ['libvirtd'], env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.dir, name)

    def argv(self, *args):
        return self.as_user + ['virsh', '-q', '-c', 'qemu:///session'] + list(args)

    def try_(self, *args, limit=120):
        return subprocess.run(self.argv(*args), env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=limit,
                              stdin=subprocess.DEVNULL)

    def __call__(self, *args, limit=120):
        r = self.try_(*args, limit=limit)
        check(r.returncode == 0, 'virsh %s: %s' % (' '.join(args), r.stderr.strip()))
        return r.stdout.strip()

    def wait_for(self, state, limit=120):
        end = time.monotonic() + limit
        while self('domstate', 'v') != state:
            check(time.monotonic() < end, 'still %s, not %s' % (self('domstate', 'v'), state))
            time.sleep(0.2)

    def log(self):
        """What evmm said, and its command line."""
        path = self.path('home/.cache/libvirt/qemu/log/v.log')
        return open(path).read()[-3000:] if os.path.exists(path) else ''

    def __enter__(self):
        end = time.monotonic() + 60
        while self.try_('version').returncode:
            if time.monotonic() > end or self.daemon.poll() is not None:
                self.__exit__()
                raise Skip('libvirtd does not start here')
            time.sleep(0.3)
        return self

    def __exit__(self, kind=None, *exc):
        if kind and kind is not Skip:
            print(self.log())
        if self.daemon.poll() is None:
            self.try_('destroy', 'v')
            self.daemon.terminate()
            try:
                self.daemon.wait(30)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def console(v):
    """The guest's console, logged in; its process is virsh."""
    g = Guest(v.argv('console', 'v', '--force'), env=v.env)
    g.login(240)
    return g


def look(v):
    """All that only asks."""
    check(v('domstate', 'v') == 'running', v('domstate', 'v'))
    said = v('dominfo', 'v')
    check(re.search(r'CPU\(s\): +2', said) and re.search(r'Max memory: +262144 KiB', said), said)
    said = v('domblklist', 'v')
    check('a.img' in said and 'b.img' in said, said)
    for disk in ('vda', 'sda'):
        check('rd_req' in v('domblkstat', 'v', disk), 'domblkstat ' + disk)
        check(re.search(r'Capacity: +8388608', v('domblkinfo', 'v', disk)), 'domblkinfo ' + disk)
    check('actual 262144' in v('dommemstat', 'v'), v('dommemstat', 'v'))
    said = v('domstats', 'v')
    check('vcpu.current=2' in said and 'block.count=3' in said and 'balloon.current=262144' in said, said)
    check(len(re.findall('running', v('vcpuinfo', 'v'))) == 2, v('vcpuinfo', 'v'))
    said = json.loads(v('qemu-monitor-command', 'v', '{"execute": "query-status"}'))
    check(said['return']['running'], said)
    check('VM status: running' in v('qemu-monitor-command', 'v', '--hmp', 'info status'), 'HMP')


def change(v, cd):
    """Disks, media, limits, memory and keys while the guest runs."""
    v('change-media', 'v', cd, v.path('cd.iso'), '--insert', '--live')
    check('cd.iso' in v('domblklist', 'v'), 'no medium')
    v('change-media', 'v', cd, '--eject', '--live')
    check('cd.iso' not in v('domblklist', 'v'), 'the medium is still there')
    v('blockresize', 'v', 'vda', '16M')
    check(re.search(r'Capacity: +16777216', v('domblkinfo', 'v', 'vda')), 'the disk has its old size')
    v('blkdeviotune', 'v', 'vda', '--total-iops-sec', '1000', '--live')
    check(re.search(r'total_iops_sec *: 1000', v('blkdeviotune', 'v', 'vda')), 'no limit')
    v('send-key', 'v', 'KEY_LEFTCTRL', 'KEY_C')
    v('inject-nmi', 'v')
    v('screenshot', 'v', v.path('run/screen'))
    check(os.path.getsize(v.path('run/screen')) > 100, 'no picture')
    open(v.path('run/c.img'), 'wb').truncate(4 << 20)
    if v.as_user:
        os.chown(v.path('run/c.img'), NOBODY, NOBODY)
    v('attach-disk', 'v', v.path('run/c.img'), 'sdb' if cd != 'sdb' else 'sdc', '--targetbus', 'scsi', '--live')
    check('c.img' in v('domblklist', 'v'), 'the disk is not there')


@variants(('pc', 'hda', 'ide'), ('q35', 'sdb', 'sata'))
def test_domain(machine, cd, cd_bus):
    """A domain is defined, started, asked, changed, suspended, reset, shut down by its power button, and destroyed."""
    with Libvirt() as v:
        xml = v.path('run/v.xml')
        open(xml, 'w').write(DOMAIN % {'machine': machine, 'dir': v.dir, 'cd': cd, 'cd_bus': cd_bus})
        if v.as_user:
            os.chown(xml, NOBODY, NOBODY)
        v('define', xml)
        v('start', 'v')
        g = console(v)
        try:
            look(v)
            v('suspend', 'v')
            check(v('domstate', 'v') == 'paused', 'not paused')
            v('resume', 'v')
            check(g.run('nproc')[1] == '2', 'processors')
            change(v, cd)
            v('reset', 'v')
            g.login(240)
            g.run(POWER_BUTTON)
            v('shutdown', 'v', '--mode', 'acpi')
            v.wait_for('shut off')
            check('shutdown' in v('domstate', 'v', '--reason'), v('domstate', 'v', '--reason'))
        finally:
            g.kill()
        v('start', 'v')
        v('destroy', 'v')
        check(v('domstate', 'v', '--reason') == 'shut off (destroyed)', v('domstate', 'v', '--reason'))
        v('undefine', 'v')
