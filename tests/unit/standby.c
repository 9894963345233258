/* SPDX-License-Identifier: ISC */
/*
 * A master is killed at any instruction while it makes workers: its successor
 * knows each of them, by pid and pidfd, and no descriptor is left over.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/value.h"
#include "lib/clock.h"
#include "lib/pidfd.h"
#include "master/clone.h"
#include "master/spawn.h"
#include "tap.h"

#define SLOTS 4
#define DESCRIPTORS 256
#define KILLS 1000
#define MOST_US 400
#define PATIENCE 10000 /* ms until something must have happened */

static struct config config;
static struct master *master;

static unsigned
open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

/* The master that is killed: it makes a worker, ends it, and makes the next. */
static void
make_and_end(void)
{
	struct service_state *s = master->service;

	for (unsigned k = 0;; k = (k + 1) % SLOTS) {
		pid_t pid = clone_process(master, CLONE_FOR_SLOT + k);

		if (pid == 0)
			for (;;)
				(void)pause();
		if (pid == -1)
			_exit(1);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		s->slot[k].pid = 0;
	}
}

static pid_t
begin(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
	    NULL, NULL);

	if (pid == 0)
		make_and_end();
	return pid;
}

/* Returns false if a process is left that no slot knows. */
static bool
end_known(unsigned *known)
{
	struct service_state *s = master->service;
	uint64_t deadline = clock_ms() + PATIENCE;
	pid_t pid;

	for (unsigned k = 0; k < SLOTS; k++) {
		if (s->slot[k].pid != 0 &&
		    pidfd_signal(s->slot[k].pidfd, SIGKILL) == 0)
			(*known)++;
		s->slot[k].pid = 0;
	}
	while ((pid = waitpid(-1, NULL, WNOHANG)) != -1)
		if (pid == 0 && clock_ms() > deadline)
			return false;
	return true;
}

static void
test_accounts(void)
{
	unsigned known = 0, lost = 0, before = open_descriptors();

	for (unsigned i = 0; i < KILLS && lost == 0; i++) {
		struct timespec ts = { .tv_nsec = rand() % MOST_US * 1000 };
		pid_t pid = begin();

		(void)nanosleep(&ts, NULL);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		clone_finish(master);
		lost += !end_known(&known);
	}
	printf("# %u kills, %u workers were left\n", KILLS, known);
	ok(lost == 0, "every worker is known whose maker was killed");
	ok(known > 0, "some were left");
	ok(open_descriptors() == before, "no descriptor is left over");
}

/* A number in an old account can be another descriptor. */
static void
test_old_number(void)
{
	struct service_state *s = master->service;
	int fd = dup(STDOUT_FILENO);

	s->scratch.pid = (int32_t)getpid();
	s->scratch.pidfd = fd;
	atomic_store(&s->scratch.intent, CLONE_FOR_SLOT);
	clone_finish(master);
	ok(write(fd, "", 0) == 0,
	    "a descriptor that is no pidfd is not closed");
	ok(s->slot[0].pid == getpid() &&
		atomic_load(&s->scratch.intent) == CLONE_FOR_NOTHING,
	    "what was begun is finished");
	close(fd);
	s->slot[0].pid = 0;
}

int
main(void)
{
	char why[256];

	config_defaults(&config);
	config.workers = SLOTS;
	master = master_make(&config, NULL);
	if (master == NULL ||
	    arena_create(&master->arena, SLOTS, DESCRIPTORS, DESCRIPTORS) ==
		-1 ||
	    (master->service = service_make(&master->arena, &master->service_fd,
		 -1, why, sizeof(why))) == NULL ||
	    spawn_prepare(master) == -1) {
		perror("setup");
		return 1;
	}
	service_let_inherit(master->service, true);
	/* Workers whose maker was killed become children of this process. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (master->service->seat[0].pidfd == 0) {
		ok(true, "accounts # SKIP the kernel has no pidfds");
		return tap_done();
	}
	test_accounts();
	test_old_number();
	return tap_done();
}
