/* SPDX-License-Identifier: ISC */
/*
 * The program's own executable; the one home of exec(3) and posix_spawn(3).
 *
 * Programs are executed by descriptor: so the program that was checked is the
 * one that runs, even if the path names another file by then.
 */
#include "master/upgrade/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#define SELF "/proc/self/exe"

static struct {
	char path[PATH_MAX];
	char directory[PATH_MAX];
	char **argv; /* a copy; [0], room for -t, the rest, NULL */
	int argc;
} self;

static bool
executable_is_same(const char *path, const struct stat *st)
{
	struct stat there;

	return stat(path, &there) == 0 && there.st_dev == st->st_dev &&
	    there.st_ino == st->st_ino;
}

/* True if `path` is that of this program.  If /proc is not mounted, the loader
 * knows the path that execve(2) got. */
static bool
executable_is_self(const char *path)
{
	const char *executed = (const char *)getauxval(AT_EXECFN);
	struct stat st;

	if (stat(SELF, &st) == 0 ||
	    (executed != NULL && stat(executed, &st) == 0))
		return executable_is_same(path, &st);
	return false;
}

/* Find the place in PATH where a shell has found `name`. */
static bool
executable_search(const char *name)
{
	const char *path = getenv("PATH");
	char copy[PATH_MAX * 2], *rest = copy, *dir;

	if (path == NULL || strlcpy(copy, path, sizeof(copy)) >= sizeof(copy))
		return false;
	while ((dir = strsep(&rest, ":")) != NULL)
		if (*dir == '/' &&
		    snprintf(self.path, sizeof(self.path), "%s/%s", dir, name) <
			(int)sizeof(self.path) &&
		    executable_is_self(self.path))
			return true;
	return false;
}

/* Set the path: from the name we were called by, else from /proc, else "". */
static void
executable_find(const char *name)
{
	ssize_t n;

	if (name[0] == '/')
		strlcpy(self.path, name, sizeof(self.path));
	else if (strchr(name, '/') == NULL)
		(void)executable_search(name);
	else if (self.directory[0] != '\0' &&
	    snprintf(self.path, sizeof(self.path), "%s/%s", self.directory,
		name) >= (int)sizeof(self.path))
		self.path[0] = '\0';
	if (self.path[0] != '\0' && executable_is_self(self.path))
		return;
	n = readlink(SELF, self.path, sizeof(self.path) - 1);
	self.path[n == -1 ? 0 : n] = '\0';
}

int
executable_init(int argc, char **argv)
{
	self.argc = argc;
	self.argv = calloc((size_t)argc + 2, sizeof(*self.argv));
	if (self.argv == NULL)
		return -1;
	/* The directory may have been removed. */
	if (getcwd(self.directory, sizeof(self.directory)) == NULL)
		self.directory[0] = '\0';
	for (int i = 0; i < argc; i++) {
		char *copy = strdup(argv[i]);

		if (copy == NULL)
			return -1;
		self.argv[i == 0 ? 0 : i + 1] = copy;
	}
	executable_find(argv[0]);
	return 0;
}

const char *
executable_path(void)
{
	return self.path;
}

const char *
executable_directory(void)
{
	return self.directory;
}

void
executable_inherit(const char *path, const char *directory)
{
	strlcpy(self.path, path, sizeof(self.path));
	strlcpy(self.directory, directory, sizeof(self.directory));
}

/* O_PATH: a program may be executable and not readable. */
int
executable_hold(void)
{
	int fd = open(SELF, O_PATH | O_CLOEXEC);

	/* A moment after the start, the file at the path is the same. */
	return fd == -1 && self.path[0] != '\0' ? executable_open() : fd;
}

int
executable_open(void)
{
	return open(self.path, O_PATH | O_CLOEXEC);
}

static void
executable_announce(int record)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", record);
	setenv(EXECUTABLE_RECORD, number, 1);
}

static bool
executable_gives(const struct executable_child *child, int fd)
{
	for (unsigned i = 0; i < child->n; i++)
		if (child->give[i].fd == fd)
			return true;
	return false;
}

/*
 * Give the child its descriptors, and no others.  First they get out of the way
 * of the numbers that they have there.  All of this is done in the table of the
 * child: so a death of this process leaves nothing in ours.
 */
static int
executable_give(posix_spawn_file_actions_t *actions,
    const struct executable_child *child)
{
	int error = child->null ? posix_spawn_file_actions_addopen(actions,
				      STDIN_FILENO, "/dev/null", O_RDWR, 0)
				: 0;
	int high[EXECUTABLE_GIVEN], next = child->end;

	for (unsigned i = 0; error == 0 && i < child->n; i++) {
		high[i] = STDIN_FILENO;
		if (child->give[i].fd == -1)
			continue;
		while (executable_gives(child, next))
			next++;
		high[i] = next++;
		error = posix_spawn_file_actions_adddup2(actions,
		    child->give[i].fd, high[i]);
	}
	for (unsigned i = 0; error == 0 && i < child->n; i++)
		error = posix_spawn_file_actions_adddup2(actions, high[i],
		    child->give[i].to);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
	/* A copy of a connection's descriptor would hold up its close. */
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(actions,
		    child->end);
#endif
	return error;
}

/* A process that is to be executed has its own mask, and no handlers. */
static int
executable_clear_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	return posix_spawnattr_setflags(attributes,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* By its number; without /proc by its path, if that is still the same file. */
static int
executable_spawn_file(const struct executable_child *child,
    const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, pid_t *pid)
{
	char path[32];
	struct stat st;
	int error;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", child->give[0].to);
	error = posix_spawn(pid, path, actions, attributes, child->argv,
	    environ);
	if (error == ENOENT && access("/proc/self/fd", X_OK) == -1)
		error = fstat(child->give[0].fd, &st) == 0 &&
			executable_is_same(child->path, &st)
		    ? posix_spawn(pid, child->path, actions, attributes,
			  child->argv, environ)
		    : ETXTBSY;
	return error;
}

static int
executable_spawn(const struct executable_child *child, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return error;
	if ((error = posix_spawnattr_init(&attributes)) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return error;
	}
	error = executable_clear_signals(&attributes);
	if (error == 0)
		error = executable_give(&actions, child);
	if (error == 0)
		error = executable_spawn_file(child, &actions, &attributes,
		    pid);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

pid_t
executable_start(const struct executable_child *child)
{
	pid_t pid = -1;
	int error = executable_spawn(child, &pid);

	errno = error;
	return error == 0 ? pid : -1;
}

pid_t
executable_check(int fd, int record, int output, int image, int state)
{
	const struct executable_child child = {
		.path = self.path,
		.argv = self.argv,
		.end = EXECUTABLE_CHECK_END,
		.n = 6,
		.give = { { fd, EXECUTABLE_CHECK_FILE },
		    { output, STDOUT_FILENO }, { output, STDERR_FILENO },
		    { record, EXECUTABLE_CHECK_RECORD },
		    { image, EXECUTABLE_CHECK_IMAGE },
		    { state, EXECUTABLE_CHECK_STATE } },
	};
	pid_t pid;

	executable_announce(EXECUTABLE_CHECK_RECORD);
	self.argv[1] = (char *)"-t";
	pid = executable_start(&child);
	unsetenv(EXECUTABLE_RECORD);
	return pid;
}

void
executable_exec(int fd, int record)
{
	char **argv = self.argv + 1;

	executable_announce(record);
	argv[0] = self.argv[0];
	(void)fexecve(fd, argv, environ);
	unsetenv(EXECUTABLE_RECORD);
}
