/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Daemon, pid file, user and root.
 *
 *	evmm -daemonize ---fork---> a leader of a session ---fork---> the daemon
 *	waits for it                waits until told or alone         starts up; says so, or ends
 */
#include "src/process.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- daemon ---- */

/* The status with which CHILD has ended. */
static int status_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The session's leader: its end is what the caller of evmm sees. The daemon isn't one, so that no terminal becomes its own. */
static void lead(int fd, pid_t daemon)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? 0 : status_of(daemon));
}

void process_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(1); /* there is nowhere to say so */
}

bool process_daemonize(struct process *p, struct error *err)
{
	int fds[2];
	pid_t pid;

	/* Now: another root may have none. */
	p->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (p->null_fd < 0)
		return error_set_errno(err, errno, "-daemonize: /dev/null");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "-daemonize");
	pid = fork();
	if (pid < 0)
		return error_set_errno(err, errno, "-daemonize");
	if (pid) {
		close(fds[1]);
		_exit(status_of(pid));
	}
	setsid();
	pid = fork();
	if (pid < 0)
		return error_set_errno(err, errno, "-daemonize");
	if (pid) {
		close(fds[1]);
		lead(fds[0], pid);
	}
	close(fds[0]);
	umask(027);
	signal(SIGTSTP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	p->daemon = true;
	p->ready_fd = fds[1];
	return true;
}

void process_detach(struct process *p, bool keep_stderr)
{
	if (!p->daemon)
		return;
	dup2(p->null_fd, STDIN_FILENO);
	dup2(p->null_fd, STDOUT_FILENO);
	if (!keep_stderr)
		dup2(p->null_fd, STDERR_FILENO);
	close(p->null_fd);
	/* Nobody may be waiting any more. */
	(void)!write(p->ready_fd, "", 1);
	close(p->ready_fd);
	p->ready_fd = p->null_fd = -1;
}

/* ---- pid file ---- */

/* Of the directory and the name in it: the root may be another one when it is removed. */
static bool open_directory(struct process *p, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xasprintf("%.*s", (int)(slash - path + 1), path) : xstrdup(".");

	p->pidfile_base = slash ? slash + 1 : path;
	p->pidfile_dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->pidfile_dir_fd < 0)
		error_set_errno(err, errno, "-pidfile %s", path);
	free(dir);
	return p->pidfile_dir_fd >= 0;
}

static bool lock(struct process *p, const char *path, struct error *err)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(p->pidfile_fd, F_SETLK, &fl) == 0)
		return true;
	if (errno != EAGAIN && errno != EACCES)
		return error_set_errno(err, errno, "-pidfile %s: cannot be locked", path);
	if (fcntl(p->pidfile_fd, F_GETLK, &fl) == 0 && fl.l_type != F_UNLCK && fl.l_pid)
		return error_set(err, "-pidfile %s: process %d has it", path, (int)fl.l_pid);
	return error_set(err, "-pidfile %s: another process has it", path);
}

/* The file is removed at the end: no device is, nor a pipe. */
static bool regular(struct process *p, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(p->pidfile_fd, &st) < 0)
		return error_set_errno(err, errno, "-pidfile %s", path);
	return S_ISREG(st.st_mode) || error_set(err, "-pidfile %s: not a regular file", path);
}

bool process_write_pidfile(struct process *p, const char *path, struct error *err)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (!open_directory(p, path, err))
		return false;
	p->pidfile_fd = openat(p->pidfile_dir_fd, p->pidfile_base,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
	if (p->pidfile_fd < 0)
		return error_set_errno(err, errno, "-pidfile %s", path);
	if (!regular(p, path, err) || !lock(p, path, err)) {
		close(p->pidfile_fd);
		p->pidfile_fd = -1;
		return false;
	}
	if (ftruncate(p->pidfile_fd, 0) < 0 || write(p->pidfile_fd, text, (size_t)n) != n)
		return error_set_errno(err, errno, "-pidfile %s: cannot be written", path);
	return true;
}

void process_fini(struct process *p)
{
	struct stat ours, there;

	if (p->pidfile_fd >= 0 && fstat(p->pidfile_fd, &ours) == 0 &&
	    fstatat(p->pidfile_dir_fd, p->pidfile_base, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		unlinkat(p->pidfile_dir_fd, p->pidfile_base, 0);
	if (p->pidfile_fd >= 0)
		close(p->pidfile_fd);
	if (p->pidfile_dir_fd >= 0)
		close(p->pidfile_dir_fd);
	p->pidfile_fd = p->pidfile_dir_fd = -1;
}

/* ---- user and root ---- */

struct identity {
	const char *name; /* NULL: by numbers */
	uid_t uid;
	gid_t gid;
};

static bool look_up(const char *user, struct identity *id, struct error *err)
{
	const struct passwd *pw = getpwnam(user);
	unsigned uid, gid;
	int end = 0;

	if (pw) {
		*id = (struct identity){.name = user, .uid = pw->pw_uid, .gid = pw->pw_gid};
		return true;
	}
	if (sscanf(user, "%u:%u%n", &uid, &gid, &end) != 2 || user[end])
		return error_set(err, "-runas %s: no such user, and not UID:GID either", user);
	*id = (struct identity){.uid = uid, .gid = gid};
	return true;
}

static bool become(const char *user, const struct identity *id, struct error *err)
{
	int rc = id->name ? initgroups(id->name, id->gid) : setgroups(1, &id->gid);

	if (rc < 0 || setgid(id->gid) < 0 || setuid(id->uid) < 0)
		return error_set_errno(err, errno, "-runas %s", user);
	if (id->uid && setuid(0) == 0)
		return error_set(err, "-runas %s: the rights of root could be had back", user);
	return true;
}

bool process_confine(const struct process_options *o, struct error *err)
{
	struct identity id = {.uid = 0};

	if (o->name)
		prctl(PR_SET_NAME, o->name);
	/* The user's name is looked up in the old root. */
	if (o->user && !look_up(o->user, &id, err))
		return false;
	if (o->chroot_dir && (chroot(o->chroot_dir) < 0 || chdir("/") < 0))
		return error_set_errno(err, errno, "-chroot %s", o->chroot_dir);
	if (o->daemonize && chdir("/") < 0)
		return error_set_errno(err, errno,
				       "-daemonize: cannot change to the root directory");
	return (!o->user || become(o->user, &id, err)) && sandbox_enter(&o->sandbox, err);
}
