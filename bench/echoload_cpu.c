/* SPDX-License-Identifier: ISC */
/*
 * What the server costs: CPU time and memory of all its processes, found by
 * control group (dead processes included) or by parentage.  And what of its
 * CPUs the machine did not get.
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "echoload.h"

#define PIDS_MAX 65536

struct process {
	unsigned pid, parent;
	double ticks; /* of its own and of the children it buried */
	bool ours;
};

/* A file's first line, or -1. */
static int
read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	int status;

	if (f == NULL)
		return -1;
	status = fgets(line, size, f) != NULL ? 0 : -1;
	fclose(f);
	return status;
}

/* The number behind `key` in a file of lines "key number", or -1. */
static double
number_in(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	size_t len = strlen(key);
	char line[256];
	double value = -1;

	if (f == NULL)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, len) == 0)
			value = strtod(line + len, NULL);
	fclose(f);
	return value;
}

/* Version 1 counts in ns, version 2 in us. */
static double
cgroup_cpu(const char *dir)
{
	char path[PATH_MAX], line[64];
	double us;

	snprintf(path, sizeof(path), "%s/cpuacct.usage", dir);
	if (read_line(path, line, sizeof(line)) == 0)
		return strtod(line, NULL) / 1e9;
	snprintf(path, sizeof(path), "%s/cpu.stat", dir);
	us = number_in(path, "usage_usec ");
	return us < 0 ? -1 : us / 1e6;
}

/* Read /proc/PID/stat; the name in it may contain anything but the last ')'. */
static int
read_process(struct process *p, const char *pid)
{
	unsigned long utime, stime;
	long cutime, cstime;
	char path[64], line[1024], *rest;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	if (read_line(path, line, sizeof(line)) == -1 ||
	    (rest = strrchr(line, ')')) == NULL ||
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	    sscanf(rest,
		") %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		"%lu %lu %ld %ld",
		&p->parent, &utime, &stime, &cutime, &cstime) != 5)
		return -1;
	p->pid = (unsigned)strtoul(pid, NULL, 10);
	p->ticks = (double)utime + (double)stime + (double)cutime +
	    (double)cstime;
	p->ours = false;
	return 0;
}

/* Mark `pid` and all who descend from it. */
static void
/* NOLINTNEXTLINE(misc-no-recursion): each is marked once */
mark_family(struct process *list, size_t n, unsigned pid)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].ours ||
		    (list[i].pid != pid && list[i].parent != pid))
			continue;
		list[i].ours = true;
		if (list[i].pid != pid)
			mark_family(list, n, list[i].pid);
	}
}

/* All processes, those of the family marked; to be freed. */
static struct process *
family(unsigned pid, size_t *n)
{
	struct process *list = calloc(PIDS_MAX, sizeof(*list));
	DIR *dir = opendir("/proc");
	struct dirent *d;

	*n = 0;
	while (list != NULL && dir != NULL && *n < PIDS_MAX &&
	    (d = readdir(dir)) != NULL)
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' &&
		    read_process(&list[*n], d->d_name) == 0)
			++*n;
	if (dir != NULL)
		closedir(dir);
	mark_family(list, *n, pid);
	return list;
}

static double
family_cpu(unsigned pid)
{
	size_t n;
	struct process *list = family(pid, &n);
	double ticks = -1;

	for (size_t i = 0; i < n; i++)
		if (list[i].ours)
			ticks = list[i].ticks + (ticks < 0 ? 0 : ticks);
	free(list);
	return ticks < 0 ? -1 : ticks / (double)sysconf(_SC_CLK_TCK);
}

double
server_cpu(const struct options *o)
{
	if (o->cgroup != NULL)
		return cgroup_cpu(o->cgroup);
	return o->pid > 0 ? family_cpu(o->pid) : -1;
}

/* The sum, as long as all could be read; who died in the meantime has none. */
static void
add_pss(double *sum, unsigned pid)
{
	char path[64];
	double kib;

	snprintf(path, sizeof(path), "/proc/%u/smaps_rollup", pid);
	kib = number_in(path, "Pss:");
	if (kib >= 0)
		*sum = kib + (*sum < 0 ? 0 : *sum);
}

double
server_pss(const struct options *o)
{
	struct process *list;
	char path[PATH_MAX];
	double sum = -1;
	unsigned pid;
	size_t n;
	FILE *f;

	if (o->cgroup != NULL) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", o->cgroup);
		f = fopen(path, "re");
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own pids */
		while (f != NULL && fscanf(f, "%u", &pid) == 1)
			add_pss(&sum, pid);
		if (f != NULL)
			fclose(f);
	} else if (o->pid > 0) {
		list = family(o->pid, &n);
		for (size_t i = 0; i < n; i++)
			if (list[i].ours)
				add_pss(&sum, list[i].pid);
		free(list);
	}
	return sum;
}

struct machine_time
machine_time(void)
{
	struct machine_time t = { 0, 0 };
	char line[512], *p = line + strlen("cpu ");

	if (read_line("/proc/stat", line, sizeof(line)) == -1)
		return t;
	/* user nice system idle iowait irq softirq steal; then guests, whose
	 * time is in user's already. */
	for (int i = 0; i < 8; i++) {
		t.stolen = strtod(p, &p);
		t.all += t.stolen;
	}
	return t;
}
