/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -sandbox (sandbox.h), by libseccomp.
 *
 * What is not denied is allowed: the list of calls that we and our libraries make differs with every version of them. Denied is, by
 * group, what a guest that has taken us over would want most. clone3 keeps its flags in memory, where no filter sees them: it
 * "does not exist", and the C library goes back to clone.
 */
#include "config.h"
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif
#include "src/options/optlist.h"
#include "src/sandbox.h"

/* ---- the option ---- */

static bool allow_or_deny(struct optlist *l, const char *key, bool *denied, struct error *err)
{
	const char *value = optlist_get(l, key);

	if (!value)
		return true;
	*denied = !strcmp(value, "deny");
	return *denied || !strcmp(value, "allow") ||
	       error_set(err, "%s is 'allow' or 'deny', not '%s'", key, value);
}

static bool take_groups(struct sandbox_options *o, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"enable", "obsolete",	 "elevateprivileges",
					    "spawn",  "resourcecontrol", NULL};
	const char *enable = optlist_get(l, "enable"), *elevate;
	bool deny_obsolete = true;

	if (!enable || !parse_bool(enable, &o->on))
		return error_set(err, "'on' or 'off' comes first");
	elevate = optlist_get(l, "elevateprivileges");
	o->deny_elevate_children = elevate && !strcmp(elevate, "children");
	if (!o->deny_elevate_children &&
	    !allow_or_deny(l, "elevateprivileges", &o->deny_elevate, err))
		return false;
	if (!allow_or_deny(l, "obsolete", &deny_obsolete, err) ||
	    !allow_or_deny(l, "spawn", &o->deny_spawn, err) ||
	    !allow_or_deny(l, "resourcecontrol", &o->deny_resource_control, err))
		return false;
	o->allow_obsolete = !deny_obsolete;
	return optlist_check_unused(l, known, err);
}

bool sandbox_parse(struct sandbox_options *o, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	memset(o, 0, sizeof(*o));
	if (!optlist_parse(&l, value, "enable", err))
		return false;
	ok = take_groups(o, &l, err);
	optlist_free(&l);
#ifndef HAVE_SECCOMP
	if (ok && o->on)
		return error_set(err, "this build has no libseccomp; only 'off' is offered");
#endif
	return ok;
}

/* ---- the filter ---- */

#ifdef HAVE_SECCOMP

#define CALLS_END (-1)

/* Those of the host's administration, and those that reach into other processes or into the kernel. */
static const int never[] = {
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(syslog),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(vhangup),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(fanotify_init),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(personality),
	SCMP_SYS(lookup_dcookie),
	CALLS_END,
};

static const int obsolete[] = {
	SCMP_SYS(_sysctl),	   SCMP_SYS(afs_syscall),    SCMP_SYS(create_module),
	SCMP_SYS(get_kernel_syms), SCMP_SYS(query_module),   SCMP_SYS(nfsservctl),
	SCMP_SYS(getpmsg),	   SCMP_SYS(putpmsg),	     SCMP_SYS(security),
	SCMP_SYS(tuxcall),	   SCMP_SYS(vserver),	     SCMP_SYS(sysfs),
	SCMP_SYS(uselib),	   SCMP_SYS(ustat),	     SCMP_SYS(modify_ldt),
	SCMP_SYS(epoll_ctl_old),   SCMP_SYS(epoll_wait_old), CALLS_END,
};

static const int elevate[] = {
	SCMP_SYS(setuid),    SCMP_SYS(setgid),	  SCMP_SYS(setreuid), SCMP_SYS(setregid),
	SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
	SCMP_SYS(setgroups), SCMP_SYS(setpgid),	  SCMP_SYS(setsid),   SCMP_SYS(capset),
	CALLS_END,
};

static const int spawn[] = {SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve), SCMP_SYS(execveat),
			    CALLS_END};

static const int resource_control[] = {
	SCMP_SYS(setpriority),	      SCMP_SYS(sched_setparam),
	SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setattr),
	SCMP_SYS(ioprio_set),	      SCMP_SYS(migrate_pages),
	SCMP_SYS(sched_setaffinity),  CALLS_END,
};

static int deny(scmp_filter_ctx filter, const int *calls)
{
	for (; *calls != CALLS_END; calls++) {
		int rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, *calls, 0);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Threads, but no processes. */
static int deny_spawn(scmp_filter_ctx filter)
{
	int rc = deny(filter, spawn);

	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	return rc;
}

static int add_rules(const struct sandbox_options *o, scmp_filter_ctx filter)
{
	int rc = deny(filter, never);

	/* The threads that there are, too. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0 && !o->allow_obsolete)
		rc = deny(filter, obsolete);
	if (rc == 0 && o->deny_elevate)
		rc = deny(filter, elevate);
	if (rc == 0 && o->deny_spawn)
		rc = deny_spawn(filter);
	if (rc == 0 && o->deny_resource_control)
		rc = deny(filter, resource_control);
	return rc;
}

bool sandbox_enter(const struct sandbox_options *o, struct error *err)
{
	scmp_filter_ctx filter;
	int rc;

	if (!o->on)
		return true;
	/* Loading a filter sets it too; said here because elevateprivileges=children is just that. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "-sandbox on");
	filter = seccomp_init(SCMP_ACT_ALLOW);
	rc = filter ? add_rules(o, filter) : -ENOMEM;
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc == 0 || error_set_errno(err, -rc, "-sandbox on");
}

#else

bool sandbox_enter(const struct sandbox_options *o, struct error *err)
{
	return true;
}

#endif
