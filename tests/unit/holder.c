/* SPDX-License-Identifier: ISC */
/*
 * The lock of the pid file in a chain of processes that share one table of
 * descriptors, each the successor of the one before, which was killed.  The
 * lock names the last one, and another process can take it at no time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/holder.h"
#include "master/start/pidfile.h"
#include "tap.h"

/* Successors, one after the other. */
#define SUCCESSORS 200

static struct pidfile file = PIDFILE_NONE;

/* What the processes tell each other. */
static struct shared {
	_Atomic int successors, failed; /* of which some could not take it */
	_Atomic int looks, locked;	/* of the stranger, and with success */
	_Atomic pid_t last;
	_Atomic int done;
} * shared;

static void
moment(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static pid_t
fork_sharing_descriptors(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
	    NULL, NULL);
}

/* Be killed, and have a successor. */
static void __attribute__((noreturn)) chain(void)
{
	for (int n = 0; n < SUCCESSORS; n++) {
		pid_t before = getpid(), pid = fork_sharing_descriptors();

		if (pid == -1)
			_exit(1);
		if (pid > 0)
			(void)kill(before, SIGKILL);
		while (getppid() == before)
			moment();
		if (pidfile_move(&file) == -1)
			shared->failed++;
		shared->last = getpid();
		shared->successors++;
	}
	while (!shared->done)
		moment();
	_exit(0);
}

/* Another echod, which would like to have the file. */
static void __attribute__((noreturn)) stranger(void)
{
	int fd = open(file.path, O_RDWR | O_CLOEXEC);

	while (!shared->done) {
		if (holder_lock(fd) == 0)
			shared->locked++;
		shared->looks++;
	}
	_exit(0);
}

static void
await(_Atomic int *n, int least)
{
	for (int i = 0; i < 600000 && *n < least; i++)
		moment();
}

int
main(void)
{
	static char path[] = "/tmp/echod-holder-XXXXXX";
	struct holder h;
	pid_t pid[2];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)close(mkstemp(path));
	strcpy(file.path, path);
	pid[0] = fork();
	if (pid[0] == 0) {
		file.fd = open(path, O_RDWR | O_CLOEXEC);
		ok(holder_lock(file.fd) == 0, "the first one has the lock");
		/* The stranger begins. */
		shared->last = getpid();
		shared->looks = 1;
		await(&shared->looks, 2);
		chain();
	}
	await(&shared->looks, 1);
	pid[1] = fork();
	if (pid[1] == 0)
		stranger();
	await(&shared->successors, SUCCESSORS);
	tap_run = 1;
	ok(shared->successors == SUCCESSORS, "%d successors",
	    shared->successors);
	ok(shared->failed == 0, "each took the lock again: %d failures",
	    shared->failed);
	ok(holder_find_path(&h, path) == 0 && h.state == HOLDER_ECHOD &&
		h.pid == shared->last && h.written == shared->last,
	    "the lock and the number name the last one, %ld: %ld and %ld",
	    (long)shared->last, (long)h.pid, (long)h.written);
	holder_close(&h);
	ok(shared->locked == 0, "another process got it at %d of %d times",
	    shared->locked, shared->looks);
	shared->done = 1;
	for (int i = 0; i < 2; i++)
		(void)waitpid(pid[i], NULL, 0);
	(void)unlink(path);
	return tap_done();
}
