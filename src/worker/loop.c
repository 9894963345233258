/* SPDX-License-Identifier: ISC */
/*
 * The worker's loop: look, sleep, serve.
 */
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "lib/title.h"
#include "worker/balance/active.h"
#include "worker/balance/balance.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/close.h"
#include "worker/connection/drain.h"
#include "worker/connection/idle.h"
#include "worker/connection/serve.h"
#include "worker/events.h"
#include "worker/leave.h"
#include "worker/memory.h"
#include "worker/recovery/recover.h"
#include "worker/sandbox.h"

/* Rounds between two looks at how even the slots are. */
#define BALANCE_ROUNDS 16
/* The same after connections came or went, ms. */
#define BALANCE_MS 5
/* A process title is no older than this, ms. */
#define TITLE_AGE 1000
/* Rounds in a row in which nothing moved that are too many, less than
 * IDLE_MS between two of them, and how long the loop then rests, ms. */
#define IDLE_ROUNDS 16
#define IDLE_MS 100
#define REST 10

static void
loop_update_title(struct worker *w)
{
	uint32_t held = atomic_load_explicit(&w->slot->held,
	    memory_order_relaxed);

	if (w->title_at == CLOCK_NEVER) {
		if (held != w->titled)
			w->title_at = clock_ms() + TITLE_AGE;
	} else if (clock_ms() >= w->title_at) {
		title_set("worker %u [%u connections]", w->number, held);
		w->titled = held;
		w->title_at = CLOCK_NEVER;
	}
}

static bool
loop_due(uint64_t at)
{
	return at != CLOCK_NEVER && clock_ms() >= at;
}

/* Returns when sharing wants to be looked after next. */
static uint64_t
loop_run_sharing(struct worker *w)
{
	if (loop_due(w->offers_at))
		handoff_withdraw(w);
	if (loop_due(w->heal_at))
		handoff_expire(w);
	if (!w->draining && arena_workers(w->arena) > 1) {
		if (w->changed)
			w->balance_at = clock_earlier(w->balance_at,
			    clock_ms() + BALANCE_MS);
		if (loop_due(w->balance_at) ||
		    ++w->rounds % BALANCE_ROUNDS == 0)
			balance(w);
	} else
		w->balance_at = CLOCK_NEVER;
	w->changed = false;
	return clock_earlier(w->heal_at,
	    clock_earlier(w->offers_at, w->balance_at));
}

/* Do what is due; returns when to wake up at the latest. */
static uint64_t
loop_run_timers(struct worker *w)
{
	uint64_t wake;

	if (loop_due(w->parent_at))
		leave_look(w);
	loop_update_title(w);
	if (loop_due(w->enroll_at))
		events_retry(w);
	if (loop_due(clock_earlier(w->trim_at, w->memory_at)))
		memory_step(w);
	wake = clock_earlier(clock_earlier(loop_run_sharing(w), w->title_at),
	    clock_earlier(w->enroll_at, w->parent_at));
	if (w->draining)
		return clock_earlier(clock_earlier(wake, w->accept_at),
		    clock_earlier(w->sweep_at, w->deadline));
	if (loop_due(w->accept_at)) {
		w->accept_at = CLOCK_NEVER;
		events_listen(w, true);
	}
	if (loop_due(w->header_at))
		idle_headers(w);
	wake = clock_earlier(clock_earlier(wake, w->accept_at),
	    clock_earlier(w->header_at,
		clock_earlier(w->trim_at, w->memory_at)));
	if (w->sweep_at != CLOCK_NEVER &&
	    atomic_load_explicit(&w->slot->held, memory_order_relaxed) > 0) {
		if (loop_due(w->sweep_at))
			idle_sweep(w);
		wake = clock_earlier(wake, w->sweep_at);
	}
	return wake;
}

/* A sibling has no worker for a while and the master gave it to us. */
static void
loop_adopt(struct worker *w)
{
	unsigned k = atomic_exchange(&w->slot->adopt, 0);
	uint32_t unattended = SLOT_UNATTENDED;
	struct recovered r;

	if (k-- == 0 || k >= w->arena->slots ||
	    !atomic_compare_exchange_strong(&w->arena->slot[k].state,
		&unattended, slot_adopted_by(w->number)))
		return;
	r = recover(w, k);
	w->header_at = 0;
	atomic_store(&w->arena->slot[k].state, SLOT_EMPTY);
	(void)eventfd_write(w->arena->header->master_wake_fd, 1);
	log_notice("took over the connections of worker %u: %u kept, %u "
		   "closed",
	    k, r.kept, r.closed);
	w->changed = true;
}

/*
 * A reload has dropped listeners: clients that wait in their queues are taken.
 * Shut, and closed, they are by the master: if we are late they are closed
 * already, and the number that we have in hand may be a client's.
 */
static void
loop_empty_dropped(struct worker *w)
{
	const struct arena_header *h = w->arena->header;
	_Atomic uint32_t *drop = &w->arena->header->drop;
	uint32_t asked = atomic_load(drop), taken = DROP_TAKEN;
	bool emptied = true;

	if ((asked != DROP_ASKED && asked != DROP_ASKED_LAST) ||
	    !atomic_compare_exchange_strong(drop, &asked, DROP_TAKEN))
		return;
	for (unsigned i = arena_listeners(w->arena);
	     i < arena_open_listeners(w->arena) && emptied; i++)
		emptied = accept_queue(w, i, false);
	/* Who could not be taken waits for one of us as long as the master
	 * does, which may have lost patience with us and asked again. */
	(void)atomic_compare_exchange_strong(drop, &taken,
	    !emptied			   ? asked
		: asked == DROP_ASKED_LAST ? DROP_EMPTIED
					   : DROP_NONE);
	(void)eventfd_write(h->master_wake_fd, 1);
}

/* Somebody gave us something, or wants something of us. */
static void
loop_woken(struct worker *w)
{
	eventfd_t ignored;

	(void)eventfd_read(w->slot->wake_fd, &ignored);
	handoff_accept(w);
	loop_adopt(w);
	loop_empty_dropped(w);
	memory_look(w);
	/* The master has found one more (master/listeners/late.c). */
	if (arena_listeners(w->arena) != w->listeners && !w->draining)
		events_listen(w, w->listening);
	w->balance_at = 0;
}

static void
loop_accept_from(struct worker *w, uint32_t listeners)
{
	for (; listeners != 0; listeners &= listeners - 1)
		if (accept_some(w, (unsigned)__builtin_ctz(listeners)) ==
		    ACCEPT_PAUSED)
			events_listen(w, false);
}

static void
loop_serve_event(struct worker *w, int fd, uint32_t events)
{
	if (connection_owner(worker_connection(w, fd)) !=
	    owner_word(CONN_OPEN, w->number)) {
		events_disown(w, fd);
		return;
	}
	/* One that is not hot may be of a worker before, which recovery was
	 * kept from finding. */
	if (active_touch(w, fd) && !worker_can_serve(w, fd))
		close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
	else
		serve(w, fd, events);
}

/* Returns true if clients that wait to be accepted were all there was. */
static bool
loop_dispatch(struct worker *w, int events)
{
	uint32_t listeners = 0;
	bool wake = false, only = true;

	for (int i = 0; i < events; i++) {
		const struct epoll_event *e = &w->event[i];

		switch (events_kind(e)) {
		case EVENT_CONNECTION:
			loop_serve_event(w, events_number(e), e->events);
			only = false;
			break;
		case EVENT_WAKE:
			wake = true;
			only = false;
			break;
		case EVENT_LISTENER:
			listeners |= 1U << events_number(e);
			break;
		case EVENT_MASTER:
			leave_look(w);
		}
	}
	if (wake)
		loop_woken(w);
	w->events += (unsigned)events;
	if (!w->draining) /* drain_step() takes the queues itself */
		loop_accept_from(w, listeners);
	active_round(w);
	return only;
}

/* Whether anybody has been accepted, by whomever, since this was asked last. */
static bool
loop_others_accept(struct worker *w)
{
	uint64_t sum = 0;

	for (unsigned k = 0; k < arena_workers(w->arena); k++)
		sum += atomic_load_explicit(&w->arena->slot[k].count.accepted,
		    memory_order_relaxed);
	if (sum == w->accepted)
		return false;
	w->accepted = sum;
	return true;
}

/*
 * Something is ready and nothing moves: the kernel has no memory for what we
 * want of it (ENOMEM, ENOBUFS), or says that there is something and refuses to
 * give it.  It would tell us again at once, for as long as that lasts.
 */
static void
loop_rest(struct worker *w, bool only_listeners)
{
	const struct timespec ts = { .tv_nsec = REST * 1000000L };
	uint64_t now = clock_ms();

	/* A race for a client that another worker has won is no fault. */
	if (only_listeners && loop_others_accept(w))
		w->idle_rounds = 0;
	if (now - w->idle_at >= IDLE_MS)
		w->idle_rounds = 0;
	if (++w->idle_rounds >= IDLE_ROUNDS) {
		(void)nanosleep(&ts, NULL);
		now += REST;
	}
	w->idle_at = now;
}

static int
loop(struct worker *w)
{
	for (;;) {
		unsigned moved = w->moved;
		uint64_t wake;
		int n, error;

		if (leave_told(w))
			return WORKER_LEFT;
		if (!w->draining && arena_stop_deadline(w->arena) != 0)
			drain_begin(w);
		if (w->draining && drain_step(w))
			return WORKER_DRAINED;
		handoff_check(w);
		wake = loop_run_timers(w);
		counter_add(&w->slot->heartbeat, 1); /* even: asleep */
		n = events_wait(w, handoff_pending(w) ? 0 : wake);
		error = errno;
		counter_add(&w->slot->heartbeat, 1); /* odd: working */
		if (atomic_load_explicit(&w->arena->header->watching,
			memory_order_relaxed) == 0)
			(void)eventfd_write(w->arena->header->master_wake_fd,
			    1);
		if (n > 0) {
			bool only_listeners = loop_dispatch(w, n);

			if (w->moved == moved)
				loop_rest(w, only_listeners);
			else
				w->idle_rounds = 0;
		} else if (n == -1 && error != EINTR) {
			errno = error;
			log_warn("epoll_pwait");
			return WORKER_FAILED;
		}
	}
}

int
worker_main(const struct config *config, const struct arena *arena,
    const struct worker_place *place)
{
	unsigned number = place->slot;
	static const int recorded[] = { SIGTERM, 0 };
	struct worker w = {
		.config = config,
		.arena = arena,
		.slot = &arena->slot[number],
		.number = number,
		.master = place->master,
		.master_pidfd = place->master_pidfd,
		.watch_fd = place->watch_fd,
		.scratch = arena_scratch(arena, number),
		.accept_at = CLOCK_NEVER,
		.enroll_at = CLOCK_NEVER,
		.title_at = CLOCK_NEVER,
		.trim_at = CLOCK_NEVER,
		.memory_at = CLOCK_NEVER,
		.changed = true, /* siblings may have more than we */
	};
	char role[32];
	struct recovered r;
	uint64_t died;
	int status;

	snprintf(role, sizeof(role), "worker %u", number);
	log_set_role(role);
	/* The master follows a copy of its own, and changes both. */
	log_follow(&arena->header->loglevel);
	signals_choose(recorded);
	/* A master that died before this call is noticed by its absence. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != place->master)
		kill(getpid(), SIGTERM);
	sandbox_enter(&w);
	if (events_init(&w) == -1) {
		log_warn("epoll_ctl");
		return WORKER_FAILED;
	}
	handoff_init(&w);
	idle_init(&w);
	/* Odd: at work from now on. */
	atomic_store(&w.slot->heartbeat,
	    (atomic_load(&w.slot->heartbeat) + 2) | 1);
	r = recover(&w, number);
	handoff_accept(&w);
	memory_look(&w);
	events_listen(&w, true);
	title_set("worker %u [%u connections]", number, r.kept);
	w.titled = r.kept;
	atomic_store(&w.slot->state, SLOT_READY);
	(void)eventfd_write(arena->header->master_wake_fd, 1);
	died = atomic_exchange(&w.slot->died, 0);
	if (died != 0)
		log_notice("took over: %u connections kept, %u closed, %llu ms "
			   "without a worker",
		    r.kept, r.closed, (unsigned long long)(clock_ms() - died));
	status = loop(&w);
	atomic_store(&w.slot->state,
	    status == WORKER_DRAINED ? SLOT_DRAINED : SLOT_EMPTY);
	return status;
}
