/* SPDX-License-Identifier: ISC */
/*
 * Modules: finding the file of a handler, and loading it; the one home of
 * dlopen(3).
 */
#include "handler/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "config/value.h"
#include "handler/contract.h"
#include "lib/trusted_path.h"

#ifndef HANDLERSDIR
#define HANDLERSDIR "/usr/lib/echod/handlers"
#endif

/* A name becomes a part of a path. */
static bool
load_is_plain(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
	    strlen(name) < NAME_MAX - 3;
}

/* Where a module is, or was to be: as this program is built, and as it is
 * installed, seen from its file; or where it was built to find modules. */
static bool
load_find(const char *name, char *path, size_t size)
{
	static const char *const places[] = { "modules", "lib/echod/handlers" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n == -1 ? 0 : n] = '\0';
	for (int up = 0; up < 2; up++)
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
	for (size_t i = 0; n > 0 && i < 2; i++)
		if (snprintf(path, size, "%s/%s/%s.so", self, places[i], name) <
			(int)size &&
		    access(path, F_OK) == 0)
			return true;
	return snprintf(path, size, HANDLERSDIR "/%s.so", name) < (int)size;
}

int
load_open(const char *handler, uid_t user, struct load_file *f, char *why,
    size_t size)
{
	struct stat st;

	*f = (struct load_file){ .fd = -1 };
	if (handler[0] != '/' && !load_is_plain(handler)) {
		snprintf(why, size,
		    "\"%s\" is not a name, and not an absolute path", handler);
		return -1;
	}
	if (handler[0] == '/'
		? strlcpy(f->path, handler, sizeof(f->path)) >= sizeof(f->path)
		: !load_find(handler, f->path, sizeof(f->path))) {
		snprintf(why, size, "%s: the path has more than %d bytes",
		    handler, LOAD_PATH - 1);
		return -1;
	}
	if (handler[0] != '/' && access(f->path, F_OK) == -1 &&
	    errno == ENOENT) {
		snprintf(why, size,
		    "\"%s\" is not built in (" VALUE_BUILT_IN
		    "), and there is no "
		    "file %s",
		    handler, f->path);
		return -1;
	}
	f->fd = trusted_path_open(f->path, user, why, size);
	if (f->fd == -1)
		return -1;
	if (fstat(f->fd, &st) == -1) {
		snprintf(why, size, "%s: %s", f->path, strerror(errno));
		close(f->fd);
		return -1;
	}
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 +
	    (uint64_t)st.st_mtim.tv_nsec;
	f->size = (uint64_t)st.st_size;
	return 0;
}

/* By the descriptor, so that it is the file that was checked; without /proc by
 * its path, if that is still the same file. */
static void *
load_library(int fd, const char *path)
{
	char name[32];
	struct stat st, there;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (access("/proc/self/fd", X_OK) == 0)
		return dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (fstat(fd, &st) == 0 && stat(path, &there) == 0 &&
	    st.st_dev == there.st_dev && st.st_ino == there.st_ino)
		return dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return NULL;
}

/* The reason without the name that we gave to the file. */
static const char *
load_reason(void)
{
	const char *text = dlerror();

	if (text == NULL)
		return "it is another file by now";
	if (strncmp(text, "/proc/self/fd/", 14) == 0) {
		text += 14 + strspn(text + 14, "0123456789");
		text += strspn(text, ": ");
	}
	return text;
}

const struct echod_handler *
load_module(int fd, const char *path, char *why, size_t size)
{
	void *library = load_library(fd, path);
	const struct echod_handler *h;
	int len;

	if (library == NULL) {
		snprintf(why, size, "%s: %s", path, load_reason());
		return NULL;
	}
	h = dlsym(library, "echod_handler");
	if (h == NULL) {
		snprintf(why, size, "%s: it has no symbol echod_handler", path);
		return NULL;
	}
	len = snprintf(why, size, "%s: ", path);
	if (len < 0 || (size_t)len >= size)
		len = 0;
	return contract_check_handler(h, why + len, size - (size_t)len) == 0
	    ? h
	    : NULL;
}
