/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing the configuration's reader: a file is taken whole or refused with a
 * reason; what was taken is dumped as a file that says the same.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "config/reader.h"
#include "config/serialize.h"
#include "config/services.h"
#include "config/value.h"
#include "fuzz.h"

static void
name(char *path, size_t size, int fd)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

/* Returns -1 if it was refused. */
static int
read_bytes(struct config *c, const void *data, size_t size,
    struct config_error *e)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), result;
	char path[32];

	must(fd != -1 && write(fd, data, size) == (ssize_t)size);
	name(path, sizeof(path), fd);
	config_defaults(c);
	e->text[0] = '\0';
	result = config_read_file(c, path, e);
	close(fd);
	return result == 0 ? services_settle(c, e) : -1;
}

static void
differs(const char *directive, const char *was, const char *is)
{
	fprintf(stderr, "%s: \"%s\" was read back as \"%s\"\n", directive, was,
	    is);
}

/* Included files are this machine's: those of other folders are not read. */
static bool
fuzz_wanders(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	bool wanders;

	must(text != NULL);
	wanders = strcasestr(text, "include") != NULL &&
	    strpbrk(text, "/*?[") != NULL;
	free(text);
	return wanders;
}

int
fuzz_config(const uint8_t *data, size_t size)
{
	static struct config c, again;
	struct config_error e;
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (fuzz_wanders(data, size))
		return 0;
	if (read_bytes(&c, data, size, &e) == -1) {
		must(e.text[0] != '\0');
		return 0;
	}
	out = open_memstream(&text, &len);
	must(out != NULL && config_dump(&c, out) == 0 && fclose(out) == 0);
	if (read_bytes(&again, text, len, &e) == -1) {
		fprintf(stderr, "%s\n%s", e.text, text);
		abort();
	}
	must(config_compare(&c, &again, differs) == 0);
	free(text);
	return 0;
}
