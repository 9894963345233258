/* SPDX-License-Identifier: ISC */
/*
 * The limits of this process, and messages about them.
 */
#include "lib/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bsd/string.h>

#include "lib/cgroup.h"

/* In cgroup v1 a number at least this large means "no limit". */
#define LIMITS_V1_NONE (UINT64_C(1) << 62)

typedef unsigned long long ull;

const char *limits_root = "";

/* The lowest limit of a resource in all groups. */
struct limits_lowest {
	const char *v1, *v2[2]; /* the names of its files */
	uint64_t value;
	char path[PATH_MAX]; /* of the file; "": none */
};

static bool
limits_visit(void *to, const char *directory, bool v2)
{
	struct limits_lowest *l = to;
	const char *const v1[2] = { l->v1, NULL };
	const char *const *names = v2 ? l->v2 : v1;
	uint64_t n;

	for (int i = 0; i < 2 && names[i] != NULL; i++)
		if (cgroup_number(directory, names[i], &n) && n < l->value &&
		    n < LIMITS_V1_NONE) {
			l->value = n;
			snprintf(l->path, sizeof(l->path), "%.3900s/%s",
			    directory, names[i]);
		}
	return true;
}

uint64_t
limits_memory(char *what, size_t size)
{
	struct limits_lowest l = { .v1 = "memory.limit_in_bytes",
		.v2 = { "memory.max", "memory.high" } };
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	l.value = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page
					: CGROUP_MAX;
	cgroup_walk(limits_root, "memory", limits_visit, &l);
	strlcpy(what, l.path[0] != '\0' ? l.path : "the machine's memory",
	    size);
	return l.value;
}

void
limits_raise(void)
{
	static const int resources[] = { RLIMIT_FSIZE, RLIMIT_AS };
	struct rlimit rl;

	for (size_t i = 0; i < sizeof(resources) / sizeof(int); i++)
		if (getrlimit(resources[i], &rl) == 0) {
			rl.rlim_cur = rl.rlim_max;
			(void)setrlimit(resources[i], &rl);
		}
}

static char words[PATH_MAX + 512];

static void limits_say(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static void
limits_say(const char *fmt, ...)
{
	size_t n = strlen(words);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words + n, sizeof(words) - n, fmt, ap);
	va_end(ap);
}

/* Read the number in a file of /proc/sys.  Returns false if there is none. */
static bool
limits_proc(const char *name, uint64_t *n)
{
	return cgroup_number("/proc/sys", name, n);
}

static bool
limits_soft(int resource, uint64_t *n)
{
	struct rlimit rl;

	if (getrlimit(resource, &rl) == -1 || rl.rlim_cur == RLIM_INFINITY)
		return false;
	*n = rl.rlim_cur;
	return true;
}

/* With vm.overcommit_memory = 2 the kernel refuses memory that is free. */
static void
limits_say_commit(void)
{
	uint64_t mode = 0, limit = 0, used = 0;

	if (!limits_proc("vm/overcommit_memory", &mode) || mode != 2)
		return;
	limits_say("; vm.overcommit_memory is 2");
	/* "CommitLimit:     12342 kB" */
	if (cgroup_keyed("/proc", "meminfo", "CommitLimit:", &limit) &&
	    cgroup_keyed("/proc", "meminfo", "Committed_AS:", &used))
		limits_say(": %llu of %llu kB are committed", (ull)used,
		    (ull)limit);
}

/* Restore errno for the message that uses the words. */
static const char *
limits_told(int error)
{
	errno = error;
	return words;
}

const char *
limits_why_no_room(int error, uint64_t bytes)
{
	uint64_t n;

	words[0] = '\0';
	if (error == EFBIG && limits_soft(RLIMIT_FSIZE, &n) && n < bytes)
		limits_say("; RLIMIT_FSIZE (ulimit -f, LimitFSIZE=) is %llu "
			   "bytes, %llu are needed",
		    (ull)n, (ull)bytes);
	if (error != ENOMEM)
		return limits_told(error);
	if (limits_soft(RLIMIT_AS, &n))
		limits_say("; RLIMIT_AS (ulimit -v, LimitAS=) is %llu bytes "
			   "of address space, %llu more are needed",
		    (ull)n, (ull)bytes);
	limits_say_commit();
	return limits_told(error);
}

static bool
limits_visit_pids(void *to, const char *directory, bool v2)
{
	uint64_t most, now;

	(void)to;
	(void)v2;
	if (cgroup_number(directory, "pids.max", &most) && most != CGROUP_MAX &&
	    cgroup_number(directory, "pids.current", &now) && now >= most)
		limits_say("; %.256s/pids.max (TasksMax=) is %llu, and it "
			   "is reached",
		    directory, (ull)most);
	return true;
}

const char *
limits_why_no_process(int error)
{
	uint64_t n;

	words[0] = '\0';
	if (error == EAGAIN) {
		cgroup_walk(limits_root, "pids", limits_visit_pids, NULL);
		/* RLIMIT_NPROC does not apply to root. */
		if (words[0] == '\0' && geteuid() != 0 &&
		    limits_soft(RLIMIT_NPROC, &n))
			limits_say("; RLIMIT_NPROC (ulimit -u, LimitNPROC=) is "
				   "%llu processes of user %lu",
			    (ull)n, (unsigned long)geteuid());
		if (words[0] == '\0' && limits_proc("kernel/threads-max", &n)) {
			limits_say("; kernel.threads-max is %llu", (ull)n);
			if (limits_proc("kernel/pid_max", &n))
				limits_say(", kernel.pid_max %llu", (ull)n);
		}
	}
	if (error == ENOMEM)
		limits_say_commit();
	return limits_told(error);
}

/* Our own group counts the kills in the groups below it, too. */
static bool
limits_visit_kills(void *to, const char *directory, bool v2)
{
	uint64_t *kills = to;

	if (*kills == CGROUP_MAX)
		(void)cgroup_keyed(directory,
		    v2 ? "memory.events" : "memory.oom_control", "oom_kill",
		    kills);
	return false;
}

uint64_t
limits_oom_kills(void)
{
	uint64_t kills = CGROUP_MAX;

	cgroup_walk(limits_root, "memory", limits_visit_kills, &kills);
	if (kills == CGROUP_MAX &&
	    !cgroup_keyed("/proc", "vmstat", "oom_kill", &kills))
		kills = 0;
	return kills;
}
