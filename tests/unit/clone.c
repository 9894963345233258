/* SPDX-License-Identifier: ISC */
/*
 * A master that was killed while it made a process, where the kernel has stored
 * the pidfd only: a worker is ended, and its slot is free for another one; a
 * standby is the process that looks.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/pidfd.h"
#include "master/clone.h"
#include "tap.h"

#define SLOT 3

static struct service_state service;
static struct slot slot[SLOT + 1];
static struct master master = { .service = &service, .arena.slot = slot };

/* What the master before has left. */
static void
begin(uint32_t intent, int pidfd)
{
	atomic_store(&service.scratch.intent, intent);
	service.scratch.pid = 0;
	service.scratch.pidfd = pidfd;
	/* Reserved numbers. */
	for (int i = 0; i < 2; i++)
		service.seat[i].pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	service.slot[SLOT].pid = 0;
	service.slot[SLOT].pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	atomic_store(&slot[SLOT].state, SLOT_READY);
	clone_finish(&master);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

int
main(void)
{
	int fd, status;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		for (;;)
			(void)pause();
	fd = pidfd_make(pid);
	if (fd == 0) {
		printf("1..0 # SKIP the kernel has no pidfds\n");
		(void)kill(pid, SIGKILL);
		return 0;
	}
	begin(CLONE_FOR_SLOT + SLOT, fd);
	ok(waitpid(pid, &status, WNOHANG) == pid && WIFSIGNALED(status) &&
		WTERMSIG(status) == SIGKILL,
	    "the worker has ended");
	ok(service.slot[SLOT].pid == 0 &&
		atomic_load(&slot[SLOT].state) == SLOT_EMPTY,
	    "its slot is free");
	ok(!is_open(fd) && service.scratch.pidfd == -1, "its pidfd is closed");
	ok(atomic_load(&service.scratch.intent) == CLONE_FOR_NOTHING,
	    "nothing is being made");

	fd = pidfd_make(getpid());
	begin(CLONE_FOR_STANDBY, fd);
	ok(service.seat[service_standby_seat(&service)].pid == getpid(),
	    "the standby is this process");
	ok(pidfd_is(service.seat[service_standby_seat(&service)].pidfd) &&
		!is_open(fd),
	    "its pidfd has the number of its seat");

	/* The master had died before it made the process: the number is
	 * another descriptor's. */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	begin(CLONE_FOR_SLOT + SLOT, fd);
	ok(is_open(fd) && service.slot[SLOT].pid == 0,
	    "what is no pidfd is left alone");
	begin(CLONE_FOR_SLOT + ARENA_SLOTS_MAX, fd);
	ok(is_open(fd), "nor is anything done for a slot that there is not");
	return tap_done();
}
