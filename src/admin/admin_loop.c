/* SPDX-License-Identifier: ISC */
/*
 * The loop of the administration process: hear the master, answer clients,
 * sleep.
 */
#include "admin/admin_loop.h"

#include <poll.h>
#include <time.h>

#include "admin/control_socket.h"
#include "admin/http.h"
#include "admin/master_link.h"
#include "lib/clock.h"

/* What is left after the master has said that it is enough: for clients that
 * have not asked, and for answers, ms.  The master's patience is a little
 * longer. */
#define ASKING_LEFT 200
#define ANSWERS_LEFT 800
/* Rounds the loop may make in one go; later no more than one in PACE ms. */
#define BURST 200
#define PACE 2

/* An event that does not go away, such as a client that cannot be accepted for
 * want of descriptors, must not make the loop spin. */
static void
admin_loop_pace(void)
{
	static const struct timespec ts = { .tv_nsec = PACE * 1000000L };
	static uint64_t level, drained;
	uint64_t n = (clock_ms() - drained) / PACE;

	level -= n < level ? n : level;
	drained += n * PACE;
	if (level < BURST)
		level++;
	else
		(void)nanosleep(&ts, NULL);
}

static void
admin_loop_sleep(uint64_t wake)
{
	struct pollfd p[] = {
		{ master_link_watch(), POLLIN, 0 },
		{ control_socket_watch(), POLLIN, 0 },
		{ http_watch(), POLLIN, 0 },
	};
	struct timespec ts;

	admin_loop_pace();
	(void)ppoll(p, sizeof(p) / sizeof(p[0]),
	    clock_left(wake, clock_ms(), &ts), NULL);
}

static void
admin_loop_hear(void)
{
	struct message m;

	while (master_link_take(&m))
		control_socket_replied(&m);
}

void
admin_loop_run(void)
{
	uint64_t end = CLOCK_NEVER;

	for (;;) {
		/* First of all: a client that comes after the master has said
		 * that it is enough is left to the next process. */
		admin_loop_hear();
		if (master_link_finishing() && end == CLOCK_NEVER) {
			end = clock_ms() + ANSWERS_LEFT;
			control_socket_finish(clock_ms() + ASKING_LEFT);
			http_finish();
		}
		if (master_link_gone() || clock_ms() >= end ||
		    (end != CLOCK_NEVER && control_socket_is_idle() &&
			http_is_idle()))
			return;
		control_socket_step();
		http_step();
		admin_loop_sleep(clock_earlier(end,
		    clock_earlier(control_socket_next(), http_next())));
	}
}
