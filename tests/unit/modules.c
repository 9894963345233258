/* SPDX-License-Identifier: ISC */
/*
 * The modules, step by step, against the texts of their RFCs.  Each step is
 * made twice, and the first time counts for nothing, as after a death.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "handler/contract.h"
#include "tap.h"

#define OUT_ROOM (1 << 20)
#define QOTD_MOST 1999 /* quotations in a file */
#define STEPS 64       /* more in a row are too many, except of chargen */

/* A connection, and the handler that serves it. */
static struct run {
	const struct echod_handler *h;
	void *config;
	char state[ECHOD_STATE_LIMIT];
	char in[ECHOD_IN_LIMIT];
	size_t in_len, seen;
	uint32_t flags; /* LAST and DRAIN */
	uint64_t unix_ms;
	uint16_t port; /* of the client */
	int next;
	bool opened, eof_told;
	char out[OUT_ROOM];
	size_t out_len;
	size_t steps;
	const char *broken; /* by the handler; NULL: nothing */
} run;

static const struct echod_handler *
load(const char *name)
{
	const char *top = getenv("TOP_BUILDDIR");
	const struct echod_handler *h;
	char path[4096];
	void *module;

	snprintf(path, sizeof(path), "%s/modules/%s.so",
	    top == NULL ? "." : top, name);
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	h = module == NULL ? NULL : dlsym(module, "echod_handler");
	if (h == NULL) {
		printf("Bail out! %s\n", dlerror());
		exit(1);
	}
	return h;
}

static void
begin(const struct echod_handler *h, void *config)
{
	memset(&run, 0, sizeof(run));
	run.h = h;
	run.config = config;
	run.unix_ms = 1795627412345; /* 2026-11-25 */
}

/* An exact copy, so that a sanitizer sees what is read behind its end. */
static void *
copied(const void *from, size_t n)
{
	char *to = malloc(n + 1);

	memcpy(to, from, n);
	return realloc(to, n > 0 ? n : 1);
}

/* Make a step from copies. */
static void
try(struct echod_step *s, uint32_t event, int *next)
{
	static struct echod_peer peer;

	peer.port = run.port;
	*s = (struct echod_step){
		.event = event,
		.flags = run.flags |
		    (run.in_len == run.h->in_max ? ECHOD_FULL : 0),
		.peer = &peer,
		.config = run.config,
		.now_ms = 1000,
		.unix_ms = run.unix_ms,
		.in = copied(run.in, run.in_len),
		.in_len = run.in_len,
		.in_seen = event == ECHOD_DATA ? run.seen : 0,
		.state = aligned_alloc(64, (run.h->state_size + 63) & ~63u),
		.out = malloc(run.h->out_max),
		.out_max = run.h->out_max,
	};
	memcpy(s->state, run.state, run.h->state_size);
	memset(s->out, 0xa5, s->out_max);
	*next = run.h->step(s);
}

static void
forget(struct echod_step *s)
{
	free((void *)(uintptr_t)s->in);
	free(s->state);
	free(s->out);
}

static void
step(uint32_t event)
{
	struct echod_step s;

	try(&s, event, &run.next);
	forget(&s);
	try(&s, event, &run.next);
	run.broken = contract_broken(run.h, &s, run.next);
	if (run.broken == NULL && s.write + s.pass > OUT_ROOM - run.out_len)
		run.broken = "its output is more than the test has room for";
	if (run.broken == NULL) {
		memcpy(run.out + run.out_len, s.out, s.write);
		run.out_len += s.write;
		memcpy(run.out + run.out_len, s.in + s.consume - s.pass,
		    s.pass);
		run.out_len += s.pass;
		run.in_len -= s.consume;
		memmove(run.in, run.in + s.consume, run.in_len);
		run.seen = event == ECHOD_DATA && s.consume == 0 ? run.in_len
								 : 0;
		memcpy(run.state, s.state, run.h->state_size);
	}
	forget(&s);
	run.steps++;
}

/* The client takes all output, as long as the handler makes some, but not more
 * than `most` steps. */
static void
settle(size_t most)
{
	for (; run.broken == NULL && run.next != ECHOD_FINISH && most > 0;
	     most--) {
		if (!run.opened) {
			run.opened = true;
			step(ECHOD_OPEN);
		} else if (run.next == ECHOD_AGAIN)
			step(ECHOD_MORE);
		else if (run.in_len > run.seen)
			step(ECHOD_DATA);
		else if ((run.flags & ECHOD_LAST) != 0 && !run.eof_told) {
			run.eof_told = true;
			step(ECHOD_EOF);
			if (run.next == ECHOD_WAIT)
				run.next = ECHOD_FINISH;
		} else
			break;
	}
}

/* The client sends. */
static void
feed(const char *data, size_t n)
{
	memcpy(run.in + run.in_len, data, n);
	run.in_len += n;
	settle(STEPS);
}

/* The client sends no more; or the service drains. */
static void
end(uint32_t flags)
{
	run.flags = ECHOD_LAST | flags;
	settle(STEPS);
}

static bool
sent(const char *text)
{
	return run.broken == NULL && run.out_len == strlen(text) &&
	    memcmp(run.out, text, run.out_len) == 0;
}

static void
test_daytime(void)
{
	const struct echod_handler *h = load("daytime");
	bool good = true;

	begin(h, NULL);
	run.in_len = 1; /* "any data received is thrown away" */
	settle(STEPS);
	ok(sent("Wednesday, November 25, 2026 17:23:32-UTC\r\n"),
	    "daytime sends one line");
	ok(run.next == ECHOD_FINISH && run.steps == 1,
	    "daytime closes after it");
	for (unsigned n = 0; n < 20000 && good; n++) {
		time_t t = (time_t)n * 345678 + n; /* to 2189 */
		char want[100];
		struct tm tm;

		begin(h, NULL);
		run.unix_ms = (uint64_t)t * 1000 + n % 1000;
		settle(1);
		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%A, %B %e, %Y %T-UTC\r\n", &tm);
		if (tm.tm_mday < 10) /* %e has a space */
			memmove(strstr(want, "  ") + 1, strstr(want, "  ") + 2,
			    strlen(strstr(want, "  ") + 2) + 1);
		good = sent(want);
		if (!good)
			printf("# %s", want);
	}
	ok(good, "daytime agrees with the C library, to the year 2189");
}

/* What `time` answers at a moment; its bytes in network order. */
static uint64_t
seconds_1900(const struct echod_handler *h, uint64_t unix_s)
{
	begin(h, NULL);
	run.unix_ms = unix_s * 1000 + 999;
	settle(STEPS);
	if (run.broken != NULL || run.out_len != 4 || run.next != ECHOD_FINISH)
		return UINT64_MAX;
	return (uint64_t)(uint8_t)run.out[0] << 24 |
	    (uint64_t)(uint8_t)run.out[1] << 16 |
	    (uint64_t)(uint8_t)run.out[2] << 8 | (uint8_t)run.out[3];
}

static void
test_time(void)
{
	const struct echod_handler *h = load("time");

	/* The examples of the RFC. */
	ok(seconds_1900(h, 0) == 2208988800, "time: 00:00  1 Jan 1970 GMT");
	ok(seconds_1900(h, 189302400) == 2398291200,
	    "time: 00:00  1 Jan 1976 GMT");
	ok(seconds_1900(h, 315532800) == 2524521600,
	    "time: 00:00  1 Jan 1980 GMT");
	ok(seconds_1900(h, 420595200) == 2629584000,
	    "time: 00:00  1 May 1983 GMT");
	ok(seconds_1900(h, 2085978496) == 0,
	    "time: the number starts again in 2036");
}

/* The output is that of a ring of 95 printing characters, from the start. */
static bool
is_ring(void)
{
	size_t lines = run.out_len / 74;

	if (run.broken != NULL || run.out_len % 74 != 0 || lines < 1)
		return false;
	for (size_t line = 0; line < lines; line++) {
		const char *text = run.out + line * 74;

		for (size_t n = 0; n < 72; n++)
			if (text[n] != (char)(' ' + (line + n) % 95))
				return false;
		if (text[72] != '\r' || text[73] != '\n')
			return false;
	}
	return true;
}

static void
test_chargen(void)
{
	const struct echod_handler *h = load("chargen");
	static const char first[] =
	    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "[\\]^_`abcdefg\r\n"
	    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "[\\]^_`abcdefgh\r\n";

	begin(h, NULL);
	settle(12);
	ok(memcmp(run.out, first, sizeof(first) - 1) == 0,
	    "chargen begins as the pattern of the RFC");
	ok(is_ring() && run.out_len > 10000 * 74 && run.next == ECHOD_AGAIN,
	    "chargen goes on with the ring, step after step");
	ok(run.out_len / run.steps > h->out_max * 99 / 100,
	    "a step of chargen fills its output");
	begin(h, NULL);
	for (unsigned n = 0; n < 8; n++) {
		run.in_len = h->in_max;
		settle(1);
	}
	ok(is_ring() && run.in_len == 0, "chargen throws away its input");
	end(0);
	ok(is_ring() && run.next == ECHOD_FINISH,
	    "chargen ends with a whole line when its client closes");
	begin(h, NULL);
	settle(2);
	end(ECHOD_DRAIN);
	ok(is_ring() && run.next == ECHOD_FINISH, "chargen ends in a drain");
	begin(h, NULL);
	settle(1);
	ok(memcmp(run.out, h->answer, h->answer_size) == 0,
	    "chargen's probe expects its first line");
}

/* Configure qotd with a file of this content.  NULL: without a file. */
static void *
quotations(const struct echod_handler *h, const char *text, char *error,
    size_t error_size)
{
	struct echod_option options[] = { { "file", NULL } };
	char path[] = "/tmp/echod-modules.XXXXXX";
	void *config = aligned_alloc(64, ECHOD_CONFIG_LIMIT), *moved;
	int fd = mkstemp(path);
	size_t n;

	memset(config, 0, ECHOD_CONFIG_LIMIT);
	options[0].value = path;
	if (text != NULL && write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
	if (text == NULL)
		unlink(path);
	*error = '\0';
	n = h->configure(options, 1, config, error, error_size);
	/* The file is not needed from here on, nor is the address. */
	unlink(path);
	moved = *error == '\0' ? copied(config, n) : NULL;
	memset(config, 0xa5, ECHOD_CONFIG_LIMIT);
	free(config);
	return moved;
}

static void
test_qotd(void)
{
	const struct echod_handler *h = load("qotd");
	unsigned one = 0, two = 0, other = 0;
	char error[256], text[600], *many;
	void *config;

	config = quotations(h, "One.\n%\nTwo,\n  and more.\n%\n%\n", error,
	    sizeof(error));
	ok(config != NULL, "qotd reads its file");
	for (unsigned n = 0; n < 200; n++) {
		begin(h, config);
		run.port = (uint16_t)(40000 + n);
		run.in_len = 1;
		settle(STEPS);
		one += sent("One.\r\n");
		two += sent("Two,\r\n  and more.\r\n");
		other += run.next != ECHOD_FINISH || run.steps != 1;
	}
	ok(one + two == 200 && other == 0, "qotd sends a quotation and closes");
	ok(one > 80 && two > 80, "qotd sends another one to others");
	one = 0;
	for (unsigned n = 0; n < 200; n++) {
		begin(h, config);
		run.unix_ms += n * UINT64_C(86400000);
		settle(STEPS);
		one += sent("One.\r\n");
	}
	ok(one > 50 && one < 150, "qotd sends another one on other days");
	free(config);

	memset(text, 'x', sizeof(text));
	strcpy(text + 509, "\n");
	config = quotations(h, text, error, sizeof(error));
	begin(h, config);
	settle(STEPS);
	ok(config != NULL && run.broken == NULL && run.out_len == 511,
	    "a quotation of 511 characters is sent");
	free(config);
	memcpy(text, "a\n%\nb\n%\n", 8);
	memset(text + 8, 'x', sizeof(text) - 8);
	text[8 + 510] = '\0';
	ok(quotations(h, text, error, sizeof(error)) == NULL &&
		strncmp(error, "file: /", 7) == 0 &&
		strstr(error, "quotation 3 is not less than 512") != NULL,
	    "a longer one is an error, which says which it is");
	many = calloc(QOTD_MOST + 1, 4);
	for (size_t n = 0; n < QOTD_MOST; n++)
		memcpy(many + n * 4, "a\n%\n", 4);
	config = quotations(h, many, error, sizeof(error));
	ok(config != NULL, "qotd reads %d quotations", QOTD_MOST);
	free(config);
	memcpy(many + QOTD_MOST * 4, "a\n", 3);
	ok(quotations(h, many, error, sizeof(error)) == NULL &&
		strstr(error, "quotation 2000 is one too many") != NULL,
	    "one more is an error");
	free(many);
	ok(quotations(h, "%\n", error, sizeof(error)) == NULL &&
		strstr(error, "quotation 1 is missing") != NULL,
	    "a file without quotations is an error");
	ok(quotations(h, NULL, error, sizeof(error)) == NULL &&
		strstr(error, "No such file") != NULL,
	    "a file that is not there is an error");
	memset(text, 0, sizeof(text));
	ok(h->configure(NULL, 0, text, error, sizeof(error)) < 600 &&
		strncmp(error, "file: ", 6) == 0,
	    "no file is an error");
	*error = '\0';
	h->configure(&(struct echod_option){ "fiel", "/x" }, 1, text, error,
	    sizeof(error));
	ok(*error != '\0', "an option that qotd does not have is an error");
}

static void
test_out(void)
{
	const struct echod_handler *h = load("out");
	static char in[3 * ECHOD_IN_LIMIT];
	bool good = true;

	begin(h, NULL);
	feed("ab", 2);
	ok(run.out_len == 0, "out waits for the end of a line");
	feed("c\nd\ne", 5);
	ok(sent("abc\nd\n"), "out sends whole lines");
	end(0);
	ok(sent("abc\nd\ne") && run.next == ECHOD_FINISH,
	    "out sends the rest at the end");
	for (unsigned seed = 0; seed < 100 && good; seed++) {
		srand(seed);
		for (size_t n = 0; n < sizeof(in); n++) {
			in[n] = (char)rand();
			if (in[n] == '\n')
				in[n] = '\0';
			/* Long lines, too: longer than a handler may hold. */
			if (rand() % (seed % 2 ? 50 : 100000) == 0)
				in[n] = '\n';
		}
		begin(h, NULL);
		for (size_t at = 0, n; at < sizeof(in); at += n) {
			n = 1 + (size_t)rand() % (rand() % 2 ? 20 : 70000);
			if (n > h->in_max - run.in_len)
				n = h->in_max - run.in_len;
			if (n > sizeof(in) - at)
				n = sizeof(in) - at;
			feed(in + at, n);
			if (run.broken != NULL)
				break;
		}
		end(0);
		good = run.broken == NULL && run.out_len == sizeof(in) &&
		    memcmp(run.out, in, sizeof(in)) == 0;
		if (!good)
			printf("# seed %u: %s\n", seed,
			    run.broken == NULL ? "other output" : run.broken);
	}
	ok(good, "out: however the input is cut, the output is the same");
	begin(h, NULL);
	feed(h->probe, h->probe_size);
	ok(run.out_len >= h->answer_size &&
		memcmp(run.out, h->answer, h->answer_size) == 0,
	    "out answers its probe");
}

int
main(void)
{
	static const char *const names[] = { "chargen", "daytime", "out",
		"qotd", "time" };
	char why[256];

	alarm(120);
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		const struct echod_handler *h = load(names[n]);

		ok(contract_check_handler(h, why, sizeof(why)) == 0 &&
			strcmp(h->name, names[n]) == 0,
		    "%s is a handler of this name", names[n]);
	}
	test_daytime();
	test_time();
	test_chargen();
	test_qotd();
	test_out();
	return tap_done();
}
