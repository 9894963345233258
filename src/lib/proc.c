/* SPDX-License-Identifier: ISC */
/*
 * What /proc tells about another process: whether it is an echod and which
 * files it has open.
 */
#include "lib/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

bool
proc_is_ours(void)
{
	char text[32];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);

	text[n == -1 ? 0 : n] = '\0';
	return atoi(text) == (int)getpid();
}

const char *
proc_name(pid_t pid)
{
	static char name[32];
	char path[48];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = proc_is_ours() ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd != -1) {
		n = read(fd, name, sizeof(name) - 1);
		close(fd);
	}
	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	for (char *p = name; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return name;
}

/* The executable does not tell: after an upgrade it is another one until the
 * reload, and only a user who may trace the process may read it. */
bool
proc_is_echod(pid_t pid)
{
	char own[16];

	strlcpy(own, program_invocation_short_name, sizeof(own));
	return strcmp(proc_name(pid), "echod") == 0 ||
	    strcmp(proc_name(pid), own) == 0;
}

/* Read a file of process `pid` as a string.  Returns false if there is no such
 * process. */
static bool
proc_read(pid_t pid, const char *file, char *text, size_t size)
{
	char path[48];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

pid_t
proc_child(pid_t parent, const char *title)
{
	struct dirent *entry;
	char text[512];
	pid_t child = 0;
	DIR *dir;

	dir = proc_is_ours() ? opendir("/proc") : NULL;
	while (dir != NULL && child == 0 && (entry = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);
		const char *end;

		/* The parent is the second field behind the name, which may
		 * have blanks and parentheses. */
		if (pid > 0 && proc_read(pid, "stat", text, sizeof(text)) &&
		    (end = strrchr(text, ')')) != NULL && strlen(end) > 4 &&
		    atol(end + 4) == (long)parent &&
		    proc_read(pid, "cmdline", text, sizeof(text)) &&
		    strncmp(text, title, strlen(title)) == 0)
			child = pid;
	}
	if (dir != NULL)
		closedir(dir);
	return child;
}

/* What fdinfo (proc(5)) tells about descriptor `number`.  `locker` becomes the
 * process that holds a write lock on it, or 0. */
static enum proof
proc_fdinfo(pid_t pid, const char *number, int *locker)
{
	enum proof proof = PROOF_NOT;
	char line[256];
	unsigned flags;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%ld/fdinfo/%.16s", (long)pid,
	    number);
	f = fopen(line, "re");
	*locker = 0;
	if (f == NULL)
		return errno == EACCES || errno == EPERM ? PROOF_UNKNOWN
							 : PROOF_NOT;
	while (fgets(line, sizeof(line), f) != NULL)
		/* NOLINTBEGIN(cert-err34-c): the kernel wrote it */
		if (sscanf(line, "flags: %o", &flags) == 1 &&
		    (flags & O_ACCMODE) != O_RDONLY)
			proof = PROOF_OPEN;
		else if (proof == PROOF_OPEN &&
		    sscanf(line, "lock: %*d: POSIX %*s WRITE %d", locker) == 1)
			proof = PROOF_LOCKED;
	/* NOLINTEND(cert-err34-c) */
	fclose(f);
	return proof;
}

enum proof
proc_proof(pid_t pid, int fd)
{
	enum proof best = PROOF_NOT, proof;
	bool denied = false;
	struct stat file, st;
	struct dirent *entry;
	char path[48];
	int locker;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	dir = proc_is_ours() && fstat(fd, &file) == 0 ? opendir(path) : NULL;
	if (dir == NULL)
		return PROOF_UNKNOWN;
	while (best < PROOF_LOCKED && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == -1) {
			denied = denied || errno == EACCES || errno == EPERM;
			continue;
		}
		if (st.st_dev != file.st_dev || st.st_ino != file.st_ino)
			continue;
		proof = proc_fdinfo(pid, entry->d_name, &locker);
		if (proof == PROOF_UNKNOWN)
			denied = true;
		else if (proof > best)
			best = proof;
	}
	closedir(dir);
	return best == PROOF_NOT && denied ? PROOF_UNKNOWN : best;
}

bool
proc_hears_us(pid_t pid)
{
	struct stat ours, theirs;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)pid);
	return !proc_is_ours() || stat(path, &theirs) == -1 ||
	    stat("/proc/self/ns/net", &ours) == -1 ||
	    (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

/* The process that has a write lock on the file which /proc/`pid`/fd shows as
 * `link`, or 0. */
static pid_t
proc_locker_in(const char *pid, const char *link)
{
	char path[PATH_MAX + 32];
	struct dirent *entry;
	int locker = 0;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (locker == 0 && (entry = readdir(dir)) != NULL) {
		n = readlinkat(dirfd(dir), entry->d_name, path,
		    sizeof(path) - 1);
		path[n == -1 ? 0 : n] = '\0';
		if (strcmp(path, link) == 0)
			(void)proc_fdinfo((pid_t)atoi(pid), entry->d_name,
			    &locker);
	}
	closedir(dir);
	return locker;
}

pid_t
proc_locker(const char *path)
{
	char folder[PATH_MAX], link[PATH_MAX + 32];
	const char *name = strrchr(path, '/');
	struct dirent *entry;
	pid_t locker = 0;
	DIR *dir;

	if (name == NULL || (size_t)(name - path) >= sizeof(link))
		return 0;
	snprintf(link, sizeof(link), "%.*s/", (int)(name - path), path);
	if (!proc_is_ours())
		return 0;
	/* The directory may not exist either. */
	if (realpath(link, folder) == NULL)
		snprintf(folder, sizeof(folder), "%.*s", (int)(name - path),
		    path);
	snprintf(link, sizeof(link), "%s%s (deleted)",
	    strcmp(folder, "/") == 0 ? "" : folder, name);
	dir = opendir("/proc");
	while (dir != NULL && locker == 0 && (entry = readdir(dir)) != NULL)
		if (atoi(entry->d_name) > 0 &&
		    proc_is_echod((pid_t)atoi(entry->d_name)))
			locker = proc_locker_in(entry->d_name, link);
	if (dir != NULL)
		closedir(dir);
	return locker;
}
