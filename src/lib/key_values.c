/* SPDX-License-Identifier: ISC */
/*
 * A list of "key=value" strings in a memfd.
 */
#include "lib/key_values.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A list is about 10 KiB long; a file that is much longer is none. */
#define BYTES_MAX (1 << 20)

int
key_values_add(int fd, const char *key, const char *value)
{
	char text[2 * PATH_MAX];
	int n = snprintf(text, sizeof(text), "%s=%s", key, value);

	if (n >= (int)sizeof(text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (lseek(fd, 0, SEEK_END) == -1)
		return -1;
	errno = ENOSPC; /* which a short write does not set */
	return write(fd, text, (size_t)n + 1) == n + 1 ? 0 : -1;
}

char *
key_values_text(int fd, size_t *length)
{
	struct stat st;
	char *text;

	errno = EINVAL;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    st.st_size > BYTES_MAX)
		return NULL;
	*length = (size_t)st.st_size;
	/* One byte more, for a text that somebody has cut. */
	text = calloc(1, *length + 1);
	errno = EIO; /* which a short read does not set */
	if (text == NULL || pread(fd, text, *length, 0) == st.st_size)
		return text;
	free(text);
	return NULL;
}

int
key_values_again(const char *name, const char *text, size_t length)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	errno = ENOSPC; /* which a short write does not set */
	if (fd == -1 || write(fd, text, length) == (ssize_t)length)
		return fd;
	close(fd);
	return -1;
}

int
key_values_each(char *text, size_t length, key_values_take *take, void *to,
    char *why, size_t size)
{
	for (char *p = text; p < text + length; p += strlen(p) + 1) {
		char *key = p, *equals = strchr(p, '=');

		if (equals == NULL) {
			snprintf(why, size, "\"%.64s\" has no value", key);
			return -1;
		}
		p = equals + 1;
		*equals = '\0';
		if (take(to, key, p) == -1) {
			snprintf(why, size, "%.64s: \"%.64s\" cannot be", key,
			    p);
			return -1;
		}
	}
	return 0;
}
