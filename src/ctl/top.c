/* SPDX-License-Identifier: ISC */
/*
 * The command top: rates, live.  Each is the difference of two samples.
 */
#include "ctl/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "ctl/message.h"
#include "ctl/rates.h"
#include "ctl/request.h"
#include "ctl/sample.h"
#include "ctl/screen.h"

/* Between samples, ms. */
#define INTERVAL_MS 1000
/* Lines between two lines of titles. */
#define TITLE_LINES 20

enum top_form {
	FORM_SCREEN,
	FORM_LINES,
	FORM_JSON
};

enum top_event {
	EVENT_NONE,
	EVENT_QUIT, /* by a key or a signal */
	EVENT_GONE, /* the reader of standard output */
};

static void
top_print_line(const struct sample *now, const struct sample *then,
    unsigned round)
{
	char line[256];

	if (round % TITLE_LINES == 0) {
		rates_titles(line, sizeof(line));
		printf("%-8s%s\n", "UPTIME", line);
	}
	rates_values(line, sizeof(line), &now->total, &then->total,
	    now->at - then->at);
	printf("%-8.0f%s\n", now->uptime, line);
	fflush(stdout);
}

static json_t *
top_json_figures(json_t *object, const struct figures *now,
    const struct figures *then, uint64_t ms)
{
	for (int f = 0; f < FIGURES; f++) {
		double n = rates_value(now, then, (enum figure)f, ms);

		json_object_set_new(object, rates_columns[f].member,
		    rates_columns[f].per_second ? json_real(n)
						: json_integer((json_int_t)n));
	}
	return object;
}

/* The figures of a worker or a service behind what is in `object`. */
static json_t *
top_json_row(json_t *object, const struct sample_rows *now,
    const struct sample_rows *then, unsigned i, uint64_t ms)
{
	return top_json_figures(object, &now->row[i].figures,
	    &sample_before(now, then, i)->figures, ms);
}

/* An object on a line of its own. */
static void
top_print_json(const struct sample *now, const struct sample *then)
{
	uint64_t ms = now->at - then->at;
	json_t *workers = json_array(), *services = json_array(),
	       *all = json_pack("{s:s s:f}", "mode", now->mode, "uptime",
		   now->uptime);
	const struct {
		const char *name;
		double n;
	} figures[] = {
		{ "maxclients", now->max_connections },
		{ "waiting", now->waiting },
		{ "refused", now->refused },
		{ "deaths", now->deaths },
		{ "saved", now->saved },
		{ "reloads", now->reloads },
	};

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		json_object_set_new(all, figures[i].name,
		    json_integer((json_int_t)figures[i].n));
	top_json_figures(all, &now->total, &then->total, ms);
	for (unsigned k = 0; k < now->workers.count; k++)
		json_array_append_new(workers,
		    top_json_row(json_pack("{s:i s:b}", "worker", (int)k,
				     "ready",
				     strcmp(now->workers.row[k].state,
					 "ready") == 0),
			&now->workers, &then->workers, k, ms));
	json_object_set_new(all, "workers", workers);
	for (unsigned k = 0; k < now->services.count; k++)
		json_array_append_new(services,
		    top_json_row(json_pack("{s:s s:s}", "service",
				     now->services.row[k].name, "state",
				     now->services.row[k].state),
			&now->services, &then->services, k, ms));
	json_object_set_new(all, "services", services);
	if (json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) ==
	    -1)
		message_warnx("out of memory");
	json_decref(all);
	putchar('\n');
	fflush(stdout);
}

static bool
top_told_to_end(void)
{
	static const int signos[] = { SIGINT, SIGTERM, SIGHUP };
	bool told = false;

	for (size_t i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		told = signals_take(signos[i]) > 0 || told;
	return told;
}

/* Sleep until `wake`; a key or a change of the terminal's size has the screen
 * drawn again. */
static enum top_event
top_sleep(uint64_t wake, bool screen, const struct sample *now,
    const struct sample *then)
{
	struct pollfd p[] = {
		{ screen ? STDIN_FILENO : -1, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 }, /* POLLERR, POLLHUP */
	};
	struct timespec ts;

	do {
		int n = ppoll(p, 2, clock_left(wake, clock_ms(), &ts),
		    signals_open_mask());

		if (n > 0 && p[1].revents != 0)
			return EVENT_GONE;
		if (top_told_to_end() ||
		    (n > 0 && p[0].revents != 0 && !screen_take_keys()))
			return EVENT_QUIT;
		if (screen && (signals_take(SIGWINCH) > 0 || n > 0))
			screen_draw(now, then);
	} while (clock_ms() < wake);
	return EVENT_NONE;
}

/* Wait for the next sample.  EVENT_NONE if `now` and `then` are renewed, or if
 * `why` says why they are not. */
static enum top_event
top_next(struct sample *now, struct sample *then, const char *path,
    const struct sample_wait *wait, char *why, size_t size)
{
	static struct sample next;
	enum top_event event;

	while (sample_take(&next, path, wait, why, size) == -1) {
		if (errno != EINTR)
			return EVENT_NONE;
		why[0] = '\0';
		event = top_sleep(0, wait->keys, now, then);
		if (event != EVENT_NONE)
			return event;
	}
	*then = *now;
	*now = next;
	return EVENT_NONE;
}

int
top_run(const struct arguments *a)
{
	static const int recorded[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, 0 };
	static struct sample then, now;
	struct sample_wait wait = { request_say_waiting, NULL, false };
	enum top_form form = a->json ? FORM_JSON : FORM_LINES;
	enum top_event event = EVENT_NONE;
	char why[600] = "";

	if (sample_take(&now, a->path, &wait, why, sizeof(why)) == -1) {
		message_warnx("%s", why);
		return CTL_FAILED;
	}
	then = now;
	signals_block();
	signals_choose(recorded);
	wait.mask = signals_open_mask();
	if (!a->json && screen_begin()) {
		form = FORM_SCREEN;
		wait.waiting = screen_say_waiting;
		wait.keys = true;
	}
	/* SIGPIPE is blocked as the others are: a stream that fails is seen. */
	for (unsigned round = 0;
	     !ferror(stdout) && (a->rounds == 0 || round < a->rounds);
	     round++) {
		if (form == FORM_SCREEN)
			screen_draw(&now, &then);
		event = top_sleep(clock_ms() + INTERVAL_MS, form == FORM_SCREEN,
		    &now, &then);
		if (event == EVENT_NONE)
			event = top_next(&now, &then, a->path, &wait, why,
			    sizeof(why));
		if (event != EVENT_NONE || why[0] != '\0')
			break;
		if (form == FORM_LINES)
			top_print_line(&now, &then, round);
		else if (form == FORM_JSON)
			top_print_json(&now, &then);
	}
	screen_end();
	if (why[0] != '\0')
		message_warnx("%s", why);
	return event == EVENT_GONE || why[0] != '\0' ? CTL_FAILED : CTL_OK;
}
