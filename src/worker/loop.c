/* SPDX-License-Identifier: ISC */
/*
 * The worker's loop: look, sleep, serve.
 */
#include "worker/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "lib/title.h"
#include "worker/balance/balance.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/close.h"
#include "worker/connection/drain.h"
#include "worker/connection/idle.h"
#include "worker/connection/serve.h"
#include "worker/leave.h"
#include "worker/handlers.h"
#include "worker/memory.h"
#include "worker/recovery/recover.h"
#include "worker/sandbox.h"
#include "worker/step_limit.h"

/* The process title is no older than this, ms. */
#define TITLE_AGE 1000
/* After so many rounds in a row in which nothing moved, less than IDLE_MS
 * between two of them, the loop rests for so long, ms. */
#define IDLE_ROUNDS 16
#define IDLE_MS 100
#define REST_MS 10

struct loop {
	struct worker w;
	struct leave leave;
	struct balance balance;
	uint32_t titled; /* connections, according to the title */
	/* A death came before, and so long nobody served, ms. */
	bool took_over;
	uint64_t pause;
	/* Rounds in a row in which nothing moved though something was ready,
	 * when the last of them was, and how many clients all slots together
	 * had accepted by then. */
	unsigned idle_rounds;
	uint64_t idle_at, accepted;
};

static void
loop_set_title(struct loop *l, uint32_t held)
{
	title_set("worker %u [%u connections]", l->w.number, held);
	l->titled = held;
}

static uint32_t
loop_held(const struct loop *l)
{
	return slot_held(l->w.slot);
}

/* Watch the descriptors for which the kernel had no memory. */
static void
loop_enroll(struct worker *w)
{
	(void)events_watch_wake(&w->events);
	for (int fd = arena_next(w->arena, w->number, 0);
	     fd != -1 && !timer_is_set(&w->timers, TIMER_ENROLL);
	     fd = arena_next(w->arena, w->number, fd + 1))
		if ((worker_connection(w, fd)->flags & CONN_ENROLLED) == 0)
			(void)close_unless_watched(w, fd);
}

/* All records are visited for the first time. */
static void
loop_recovered(struct loop *l)
{
	struct worker *w = &l->w;
	const struct recovered *r = &w->slices.result;

	idle_begin(w);
	timer_set(&w->timers, TIMER_REMOVED, 0);
	if (l->took_over)
		log_notice("took over: %u connections kept, %u closed, %llu ms "
			   "without a worker",
		    r->kept, r->closed, (unsigned long long)l->pause);
	l->took_over = false;
}

static void
loop_run_timer(struct loop *l, enum worker_timer which)
{
	struct worker *w = &l->w;

	switch (which) {
	case TIMER_PARENT:
		leave_look(&l->leave, w);
		break;
	case TIMER_TITLE:
		loop_set_title(l, loop_held(l));
		break;
	case TIMER_RECOVERY:
		if (!recover_slice(w))
			loop_recovered(l);
		break;
	case TIMER_ENROLL:
		loop_enroll(w);
		break;
	case TIMER_TRIM:
		memory_trim(w);
		break;
	case TIMER_MEMORY:
		memory_judge(w);
		break;
	case TIMER_WITHDRAW:
		handoff_withdraw(w);
		break;
	case TIMER_EXPIRE:
		handoff_expire(w);
		break;
	case TIMER_BALANCE:
		balance(&l->balance, w);
		break;
	case TIMER_ACCEPT:
		if (!w->draining)
			events_listen(&w->events, true);
		break;
	case TIMER_HEADERS:
		if (!w->draining)
			idle_headers(w);
		break;
	case TIMER_IDLE:
		idle_sweep(w);
		break;
	case TIMER_CONNECTIONS:
		w->now = 0;
		serve_timers(w);
		break;
	case TIMER_REMOVED:
		drain_removed(w);
		break;
	case TIMER_DRAIN:
	case TIMERS:
		break;
	}
}

/* Run the timers that are due.  Returns the time to wake up at the latest. */
static uint64_t
loop_run_timers(struct loop *l)
{
	struct timers *t = &l->w.timers;
	uint64_t now, next;

	if (loop_held(l) != l->titled)
		timer_start(t, TIMER_TITLE, TITLE_AGE);
	balance_round(&l->balance, &l->w);
	idle_round(&l->w);
	next = timers_next(t);
	if (next == CLOCK_NEVER || next > (now = clock_ms()))
		return next;
	for (unsigned which = 0; which < TIMER_DRAIN; which++)
		if (timer_take(t, which, now))
			loop_run_timer(l, which);
	idle_round(&l->w);
	return timers_next(t);
}

/* A sibling has no worker for a while, and the master gave its slot to us. */
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
	r = recover_adopt(w, k);
	timer_set(&w->timers, TIMER_HEADERS, 0);
	atomic_store(&w->arena->slot[k].state, SLOT_EMPTY);
	(void)eventfd_write(w->arena->header->master_wake_fd, 1);
	log_notice("took over the connections of worker %u: %u kept, %u "
		   "closed",
	    k, r.kept, r.closed);
	w->changed = true;
}

/*
 * A reload has dropped listeners: accept the clients in their queues.  The
 * master shuts and closes the listeners.  If this worker is late, they are
 * closed already, and the number in hand may be a client's.
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
	/* A client that could not be accepted waits for one of us, as long as
	 * the master waits.  The master may have lost patience with this worker
	 * and asked again. */
	(void)atomic_compare_exchange_strong(drop, &taken,
	    !emptied			   ? asked
		: asked == DROP_ASKED_LAST ? DROP_EMPTIED
					   : DROP_NONE);
	(void)eventfd_write(h->master_wake_fd, 1);
}

/* The master or a sibling has something for this worker. */
static void
loop_woken(struct worker *w)
{
	eventfd_t ignored;

	(void)eventfd_read(w->slot->wake_fd, &ignored);
	handoff_accept(w);
	loop_adopt(w);
	loop_empty_dropped(w);
	memory_look(w);
	if (events_has_new_listener(&w->events) && !w->draining)
		events_listen(&w->events, w->events.listening);
	timer_set(&w->timers, TIMER_BALANCE, 0);
}

static void
loop_accept_from(struct worker *w, uint64_t listeners)
{
	unsigned i;

	for (; listeners != 0; listeners &= listeners - 1)
		switch (
		    accept_some(w, i = (unsigned)__builtin_ctzll(listeners))) {
		case ACCEPT_PAUSED:
			events_listen(&w->events, false);
			break;
		case ACCEPT_LIMITED:
			events_rest(&w->events, i);
			break;
		case ACCEPT_MORE:
		case ACCEPT_EMPTY:
			break;
		}
}

/* Returns true if all events were about clients that wait to be accepted. */
static bool
loop_dispatch(struct loop *l, int events)
{
	struct worker *w = &l->w;
	uint64_t listeners = 0;
	bool wake = false, only = true;

	for (int i = 0; i < events; i++) {
		const struct epoll_event *e = &w->events.event[i];

		switch (events_kind(e)) {
		case EVENT_CONNECTION:
			serve_event(w, events_number(e), e->events);
			only = false;
			break;
		case EVENT_WAKE:
			wake = true;
			only = false;
			break;
		case EVENT_LISTENER:
			listeners |= UINT64_C(1) << events_number(e) % 64;
			break;
		case EVENT_MASTER:
			leave_look(&l->leave, w);
		}
	}
	if (wake)
		loop_woken(w);
	balance_note(&l->balance, (unsigned)events);
	if (!w->draining) /* drain_step() empties the queues itself */
		loop_accept_from(w, listeners);
	active_round(&w->active);
	return only;
}

/* True if any worker has accepted a client since the last call. */
static bool
loop_others_accept(struct loop *l)
{
	const struct arena *a = l->w.arena;
	uint64_t sum = 0;

	for (unsigned k = 0; k < arena_workers(a); k++)
		sum += slot_sum(&a->slot[k], accepted);
	if (sum == l->accepted)
		return false;
	l->accepted = sum;
	return true;
}

/*
 * Something is ready and nothing moves: the kernel has no memory for the call
 * (ENOMEM, ENOBUFS), or it reports an event and refuses to serve it.  It would
 * report the event again at once, as long as that lasts.
 */
static void
loop_rest(struct loop *l, bool only_listeners)
{
	const struct timespec ts = { .tv_nsec = REST_MS * 1000000L };
	uint64_t now = clock_ms();

	/* A race for a client that another worker has won is no fault. */
	if (only_listeners && loop_others_accept(l))
		l->idle_rounds = 0;
	if (now - l->idle_at >= IDLE_MS)
		l->idle_rounds = 0;
	if (++l->idle_rounds >= IDLE_ROUNDS) {
		(void)nanosleep(&ts, NULL);
		now += REST_MS;
	}
	l->idle_at = now;
}

/* Sleep until there is something to do.  The heartbeat is even meanwhile. */
static int
loop_sleep(struct worker *w, uint64_t wake)
{
	int n, error;

	counter_add(&w->slot->heartbeat, 1);
	n = events_wait(&w->events, handoff_pending(w) ? 0 : wake);
	error = errno;
	w->now = 0;
	counter_add(&w->slot->heartbeat, 1);
	if (atomic_load_explicit(&w->arena->header->watching,
		memory_order_relaxed) == 0)
		(void)eventfd_write(w->arena->header->master_wake_fd, 1);
	errno = error;
	return n;
}

static int
loop_run(struct loop *l)
{
	struct worker *w = &l->w;

	for (;;) {
		unsigned moved = w->moved;
		int n;

		if (leave_told(&l->leave, w))
			return WORKER_LEFT;
		if (!w->draining && arena_stop_deadline(w->arena) != 0)
			drain_begin(w);
		if (w->draining && drain_step(w))
			return WORKER_DRAINED;
		handoff_check(w);
		n = loop_sleep(w, loop_run_timers(l));
		if (n > 0) {
			bool only_listeners = loop_dispatch(l, n);

			if (w->moved == moved)
				loop_rest(l, only_listeners);
			else
				l->idle_rounds = 0;
		} else if (n == -1 && errno != EINTR) {
			log_warn("epoll_pwait");
			return WORKER_FAILED;
		}
	}
}

/* Set up the process: its name, signals, handlers and sandbox.  Returns 0, or
 * -1 with the reason logged. */
static int
loop_enter_process(struct worker *w)
{
	static const int recorded[] = { SIGTERM, 0 };
	char role[32];

	snprintf(role, sizeof(role), "worker %u", w->number);
	log_set_role(role);
	/* The master follows a copy of its own, and changes both. */
	log_follow(&w->arena->header->loglevel);
	signals_choose(recorded);
	step_limit_begin(w);
	arena_guard_scratch(w->arena, w->number);
	if (handlers_load(w) == -1)
		return -1;
	sandbox_enter(w);
	return 0;
}

/* Make the slot this worker's: its connections go on.  Returns 0, or -1 with
 * the reason logged. */
static int
loop_enter_slot(struct loop *l)
{
	struct worker *w = &l->w;
	uint64_t died;

	/* Odd: working from now on. */
	atomic_store(&w->slot->heartbeat,
	    (atomic_load(&w->slot->heartbeat) + 2) | 1);
	if (recover_begin(w) == -1) {
		log_warn("memory for recovery");
		return -1;
	}
	handoff_accept(w);
	memory_look(w);
	events_listen(&w->events, true);
	loop_set_title(l, loop_held(l));
	atomic_store(&w->slot->state, SLOT_READY);
	(void)eventfd_write(w->arena->header->master_wake_fd, 1);
	died = atomic_exchange(&w->slot->died, 0);
	l->took_over = died != 0;
	l->pause = died != 0 ? clock_ms() - died : 0;
	return 0;
}

int
worker_main(const struct config *config, const struct arena *arena,
    const struct worker_place *place)
{
	struct loop l = { .titled = 0 };
	int status;

	worker_init(&l.w, config, arena, place);
	if (loop_enter_process(&l.w) == -1)
		return WORKER_FAILED;
	if (events_begin(&l.w.events) == -1) {
		log_warn("epoll_ctl");
		return WORKER_FAILED;
	}
	leave_begin(&l.leave, &l.w);
	if (loop_enter_slot(&l) == -1)
		return WORKER_FAILED;
	status = loop_run(&l);
	atomic_store(&l.w.slot->state,
	    status == WORKER_DRAINED ? SLOT_DRAINED : SLOT_EMPTY);
	return status;
}
