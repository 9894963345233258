/* SPDX-License-Identifier: ISC */
/*
 * echod-handler-test: does a module keep the promises of a handler?
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "handler-test/child.h"
#include "handler-test/corpus.h"
#include "handler-test/engine.h"
#include "handler-test/shrink.h"
#include "handler-test/tester.h"
#include "handler-test/text.h"

#define MAIN_OPTIONS 16
#define MAIN_STEP_MS 1000
#define MAIN_SHOWN 240 /* bytes of an input */

enum main_status {
	MAIN_PASSED = 0,
	MAIN_BROKEN = 1,
	MAIN_USAGE = 2
};

static struct echod_option options[MAIN_OPTIONS];
static size_t options_count;
static unsigned seconds;
static uint64_t seed = 1;
static bool verbose;

static _Noreturn void
main_usage(FILE *to, int status)
{
	fprintf(to,
	    "usage: echod-handler-test [-v] [-e text] [-o name=value] "
	    "[-S seed] [-t seconds]\n"
	    "                          module [input ...]\n"
	    "Test whether a module keeps the promises of a handler; see "
	    "echod-handler-test(1).\n"
	    "  -e text        an input, with escapes as in C: 'PING\\r\\n'\n"
	    "  -o name=value  an option of the handler, as handler.name\n"
	    "  -S seed        of random inputs and places (default: 1)\n"
	    "  -t seconds     go on with random inputs for so long\n"
	    "  -v             print counts\n"
	    "  -V             print the version\n"
	    "  -h             print this\n");
	exit(status);
}

static uint64_t
main_number(const char *text, uint64_t most)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' ||
	    n > most)
		errx(MAIN_USAGE, "%s: not a number from 0 to %" PRIu64, text,
		    most);
	return n;
}

static void
main_add_option(char *text)
{
	char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		errx(MAIN_USAGE, "-o %s: not name=value", text);
	if (options_count == MAIN_OPTIONS)
		errx(MAIN_USAGE, "-o: more than %d options", MAIN_OPTIONS);
	*equals = '\0';
	options[options_count].name = text;
	options[options_count].value = equals + 1;
	options_count++;
}

static void
main_add_text(char *text)
{
	size_t n = text_unquote(text);

	corpus_add(text, n, false);
}

static void
main_read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "e:hM:o:S:t:vV")) != -1)
		switch (c) {
		case 'e':
			main_add_text(optarg);
			break;
		case 'h':
			main_usage(stdout, MAIN_PASSED);
#ifdef ENGINE_MUTANTS
		case 'M':
			engine_mutant = (unsigned)main_number(optarg, 99);
			break;
#endif
		case 'o':
			main_add_option(optarg);
			break;
		case 'S':
			seed = main_number(optarg, UINT64_MAX - 1);
			break;
		case 't':
			seconds = (unsigned)main_number(optarg, 86400);
			break;
		case 'v':
			verbose = true;
			break;
		case 'V':
			printf("echod-handler-test %s\n", PACKAGE_VERSION);
			exit(MAIN_PASSED);
		default:
			main_usage(stderr, MAIN_USAGE);
		}
	if (optind == argc)
		main_usage(stderr, MAIN_USAGE);
}

/* A line for a broken promise. */
static void
main_report(enum promise p, const char *input, size_t size)
{
	static char text[TEXT_ROOM(MAIN_SHOWN)];
	const struct finding *f = &tester->finding[p];

	printf("broken: %d (%s), event %s, input %s (%zu byte%s): %s\n", p,
	    tester_promise(p), tester_event(f->event),
	    text_quote(text, input, size, MAIN_SHOWN), size,
	    size == 1 ? "" : "s", f->what);
	fflush(stdout);
}

/* Try one conversation, and report the promises that it breaks for the first
 * time, with the shortest input that does. */
static void
main_try(const struct conversation *from)
{
	const struct check c = {
		.input = from->bytes,
		.size = from->size,
		.seed = seed,
		.light = from->light,
	};
	bool before[PROMISES];
	char *input = malloc(from->size + 1);

	if (input == NULL)
		err(MAIN_USAGE, "malloc");
	for (int p = 1; p < PROMISES; p++)
		before[p] = tester_broken(p);
	(void)child_check(&c,
	    before[PROMISE_CALLS] ? SHRINK_STEP_MS : MAIN_STEP_MS);
	for (int p = 1; p < PROMISES; p++) {
		if (before[p] || !tester_broken(p))
			continue;
		memcpy(input, from->bytes, from->size);
		if (!MUTANT(0))
			exit(MAIN_BROKEN); /* it is not the handler's */
		main_report(p, input, shrink_input(&c, p, input));
	}
	free(input);
}

static bool
main_any_broken(void)
{
	for (int p = 1; p < PROMISES; p++)
		if (tester_broken(p))
			return true;
	return false;
}

static void
main_fill_corpus(char **paths)
{
	for (; *paths != NULL; paths++)
		if (!corpus_read(*paths))
			err(MAIN_USAGE, "%s", *paths);
	if (tester->probe_size > 0)
		corpus_add(tester->probe, tester->probe_size, false);
	corpus_add_usual(tester->in_max);
	corpus_vary(tester->in_max, &seed);
}

static void
main_print_counts(const char *path, size_t inputs)
{
	printf("%s: %s %s: %zu inputs, %" PRIu64 " connections, %" PRIu64
	       " pieces of input, %" PRIu64 " steps, %" PRIu64 " kills\n",
	    path, tester->name, tester->version, inputs, tester->runs,
	    tester->cuts, tester->steps, tester->kills);
#ifndef HAVE_SECCOMP
	printf("%s: system calls were not watched: this program was built "
	       "without libseccomp\n",
	    path);
#endif
}

int
main(int argc, char **argv)
{
	time_t begin = time(NULL);
	const struct conversation *c;
	size_t n;
	const char *path;

	main_read_options(argc, argv);
	path = argv[optind];
	seed++; /* not 0 */
	child_begin(path, options, options_count);
	if (!child_look())
		errx(MAIN_USAGE, "%s", tester->error);
	if (tester_broken(PROMISE_MOVED))
		main_report(PROMISE_MOVED, "", 0);
	main_fill_corpus(argv + optind + 1);
	c = corpus_list(&n);
	for (size_t i = 0; i < n; i++)
		main_try(&c[i]);
	while (!main_any_broken() && time(NULL) - begin < (time_t)seconds) {
		main_try(corpus_next(&seed));
		n++;
	}
	if (verbose)
		main_print_counts(path, n);
	if (main_any_broken())
		return MAIN_BROKEN;
	printf("%s: no broken promise\n", path);
	return MAIN_PASSED;
}
