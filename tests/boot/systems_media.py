# SPDX-License-Identifier: BSD-2-Clause
"""What happens to media while a guest has them: -snapshot, discs that are changed and ejected from the monitor; files that may not be read."""
import os
import shutil
import subprocess
import tempfile

from support import EVMM, Skip, check, variants
from systems_disks import check_disk, digest, linux, random_file


@variants('pc', 'q35')
def test_snapshot(board):
    """With -snapshot the guest finds again what it writes to an IDE or AHCI disk and to a virtio disk, and the images stay as they were."""
    a, v = random_file('snapshot-a-' + board, 4 << 20), random_file('snapshot-v-' + board, 4 << 20)
    before = digest(a), digest(v)
    disks = ['-hda', a, '-drive', 'if=virtio,format=raw,file=' + v, '-snapshot']
    with linux(board, *disks, extra=('virtio_pci', 'virtio_blk'), wait_for='vda') as g:
        for device in 'sda', 'vda':
            status, out = g.run('dd if=/dev/urandom of=/root/new bs=64k count=20 2>&1 && dd if=/root/new of=/dev/%s bs=64k seek=7 conv=fsync 2>&1' % device)
            check(status == 0, out)
            g.run('echo 3 >/proc/sys/vm/drop_caches')
            check(g.run('dd if=/dev/%s bs=64k skip=7 count=20 2>/dev/null | cmp - /root/new' % device)[0] == 0, 'not what was written')
            check(g.run('dd if=/dev/%s bs=64k count=7 2>/dev/null | md5sum' % device)[0] == 0, 'what was there cannot be read')
        g.send('poweroff -f\n')
        check(g.wait(60) == 0, 'it did not power off')
    check((digest(a), digest(v)) == before, 'an image was written')


def monitor(g, line, answer):
    """A command at the monitor behind the console; ANSWER is waited for, then the console is back."""
    g.send('\x01c')
    g.expect(r'\(evmm\) ', 60)
    g.send(line + '\n')
    g.expect(answer, 60)
    g.send('\x01c')
    g.run('true')


@variants('pc', 'q35')
def test_disc_changed_by_the_monitor(board):
    """The monitor changes the disc, cannot take out one that is in use, and takes it out by force while it is read."""
    first, second = random_file('first-disc', 1 << 20), random_file('second-disc', 48 << 20)
    drive = 'ide1-cd0' if board == 'pc' else 'ide2-cd0'
    with linux(board, '-cdrom', first, wait_for='sr0') as g:
        check_disk(g, 'sr0', first)
        monitor(g, 'change %s %s raw' % (drive, second), r'\(evmm\) ')
        check_disk(g, 'sr0', second)
        g.run('exec 3</dev/sr0')
        monitor(g, 'eject ' + drive, r'locked[\s\S]*?\(evmm\) ')
        g.run('echo 3 >/proc/sys/vm/drop_caches; (dd if=/dev/sr0 of=/dev/null bs=64k; echo reading ended: $?) >/root/read 2>&1 & true')
        monitor(g, 'eject -f ' + drive, r'\(evmm\) ')
        status, out = g.run('for i in $(seq 100); do grep "reading ended" /root/read && break; sleep .2; done', 120)
        check('reading ended' in out, 'reading hangs')
        check(g.run('exec 3<&-; dd if=/dev/sr0 of=/dev/null count=1')[0] != 0, 'there is a disc')
        monitor(g, 'change %s %s raw' % (drive, first), r'\(evmm\) ')
        check_disk(g, 'sr0', first)


@variants('hda', 'fda', 'cdrom', 'drive')
def test_unreadable(option):
    """A user who may not read an image is told so in one line that names it."""
    if os.getuid():
        raise Skip('only root can be another user')
    with tempfile.TemporaryDirectory(prefix='evmm-unreadable.') as d:
        os.chmod(d, 0o755)
        program, image = shutil.copy(EVMM, d), os.path.join(d, 'image')
        with open(image, 'wb') as f:
            f.truncate(1474560)
        os.chmod(image, 0o600)
        what = {'drive': ['-drive', 'if=virtio,format=raw,file=' + image]}.get(option, ['-' + option, image])
        r = subprocess.run([program, '-accel', 'soft', '-display', 'none', '-monitor', 'none', '-serial', 'none', *what], user=65534, group=65534,
                           extra_groups=[], capture_output=True, text=True, timeout=60)
        check(r.returncode == 1, 'status %d' % r.returncode)
        check(r.stderr.count('\n') == 1 and image in r.stderr and 'ermission denied' in r.stderr, r.stderr)
