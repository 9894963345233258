/* SPDX-License-Identifier: ISC */
/*
 * The corpora, without a fuzzer: every seed, among them all inputs that were
 * ever found to do harm, is harmless.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "../unit/tap.h"
#include "fuzz.h"

static const struct {
	const char *name;
	fuzz_target *run;
} targets[] = {
	{ "config", fuzz_config },
	{ "directive", fuzz_directive },
	{ "proxy", fuzz_proxy },
	{ "control", fuzz_control },
	{ "handler", fuzz_handler },
	{ "recover", fuzz_recover },
	{ "record", fuzz_record },
	{ "resp", fuzz_resp },
};

/* Returns false if it cannot be read. */
static bool
replay(fuzz_target *run, const char *path)
{
	static uint8_t data[1 << 16];
	FILE *in = fopen(path, "rb");
	uint8_t *copy;
	size_t n;

	if (in == NULL)
		return false;
	n = fread(data, 1, sizeof(data), in);
	fclose(in);
	copy = malloc(n + 1); /* a bound of its own */
	must(copy != NULL);
	memcpy(copy, data, n);
	(void)run(copy, n);
	free(copy);
	return true;
}

int
main(void)
{
	const char *top = getenv("TOP_SRCDIR");
	char folder[PATH_MAX / 2], path[PATH_MAX];

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		unsigned seeds = 0;
		struct dirent *e;
		bool good = true;
		DIR *d;

		snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s",
		    top != NULL ? top : ".", targets[i].name);
		if ((d = opendir(folder)) == NULL)
			perror(folder);
		while (d != NULL && (e = readdir(d)) != NULL) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", folder,
			    e->d_name);
			/* Said before: it may be the last word. */
			printf("# %s\n", e->d_name);
			fflush(stdout);
			good = replay(targets[i].run, path) && good;
			seeds++;
		}
		if (d != NULL)
			closedir(d);
		ok(good && seeds > 0, "%s: %u seeds", targets[i].name, seeds);
	}
	return tap_done();
}
