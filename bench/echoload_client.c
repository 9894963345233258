/* SPDX-License-Identifier: ISC */
/*
 * A thread of the load: connects, waits for what comes or is due, ends.
 */
#include <errno.h>
#include <linux/time_types.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "echoload_client.h"

#define EVENTS 512
#define CONNECTING_MOST 64     /* at once, for the backlog's sake */
#define STALL (10 * SECOND)    /* without progress: a failure */
#define RETRY_PAUSE (100 * MS) /* between attempts after failures */
#define LOOK_PAUSE (100 * MS)
#define SLOW_ANSWER SECOND /* after the end: may still come */

pthread_barrier_t all_connected, may_start;

/* --- Waiting --- */

/*
 * epoll_wait(2) with a timeout in ns, which comes with Linux 5.11; before, a
 * wait of less than a millisecond spins.
 */
static int
wait_events(int ep, struct epoll_event *ev, uint64_t ns)
{
#ifdef SYS_epoll_pwait2
	struct __kernel_timespec ts = {
		.tv_sec = (long long)(ns / SECOND),
		.tv_nsec = (long long)(ns % SECOND),
	};
	int n = (int)syscall(SYS_epoll_pwait2, ep, ev, EVENTS, &ts, NULL, 0);

	if (n != -1 || errno != ENOSYS)
		return n;
#endif
	return epoll_wait(ep, ev, EVENTS, (int)(ns / MS));
}

static double
thread_cpu(void)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_THREAD, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/* --- The loop --- */

static void
handle(struct client *t, const struct epoll_event *ev)
{
	struct connection *c = ev->data.ptr;

	if ((ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		mode_receive(t, c);
	if ((ev->events & EPOLLOUT) == 0 || (c->watched & EPOLLOUT) == 0)
		return;
	if (c->state == CONNECTING)
		mode_set_going(t, c, now_ns());
	else if (c->state == OPEN)
		connection_send(t, c, now_ns());
}

/* Wait until that time at most and handle what there is. */
static void
wait_and_handle(struct client *t, uint64_t until)
{
	struct epoll_event ev[EVENTS];
	uint64_t before = now_ns();
	int n = wait_events(t->ep, ev, until > before ? until - before : 0);

	t->waited += now_ns() - before;
	for (int i = 0; i < n; i++)
		handle(t, &ev[i]);
}

/* One that failed gets another chance, ten times a second. */
static void
retry(struct client *t, uint64_t now)
{
	struct connection *c = t->down;

	if (c == NULL || now < t->retry)
		return;
	t->retry = now + RETRY_PAUSE;
	t->down = c->next_down;
	if (t->down == NULL)
		t->down_tail = &t->down;
	connection_open(t, c, now);
}

static void
look_for_stalls(struct client *t, uint64_t now)
{
	for (unsigned i = 0; i < t->active + t->idle; i++) {
		struct connection *c = &t->connections[i];

		if ((c->state == CONNECTING || mode_is_outstanding(c)) &&
		    now > c->moved + STALL)
			connection_fail(t, c, FAIL_TIMEOUT);
	}
}

/*
 * After the end: whether nothing is to be waited for.  Who answers slowly is
 * given a second; who does not move, until that is a failure.
 */
static bool
is_drained(const struct client *t, uint64_t now)
{
	for (unsigned i = 0; i < t->active; i++)
		if (mode_is_outstanding(&t->connections[i]) &&
		    (now < t->end + SLOW_ANSWER ||
			now > t->connections[i].moved + SLOW_ANSWER))
			return false;
	return true;
}

/* Add to the figures all threads share; -n may be reached by that. */
static void
publish(struct client *t, uint64_t now)
{
	struct run *r = t->run;
	uint64_t fresh = t->result.messages - t->reported, failed = 0, end;

	for (int i = 0; i < FAILURES; i++)
		failed += t->result.failures[i];
	if (failed > t->failed)
		atomic_fetch_add(&r->failed, failed - t->failed);
	t->failed = failed;
	if (fresh == 0)
		return;
	t->reported += fresh;
	fresh += atomic_fetch_add(&r->counted, fresh);
	end = atomic_load(&r->end);
	if (t->o->messages > 0 && fresh >= t->o->messages && now < end)
		atomic_compare_exchange_strong(&r->end, &end, now);
}

/* Connect all but those whose trade it is to connect (--churn). */
static void
connect_all(struct client *t)
{
	unsigned next = t->o->churn ? t->active : 0;
	uint64_t now = now_ns();

	t->connected = now;
	while (atomic_load(&t->run->interrupts) == 0 &&
	    (next < t->active + t->idle || t->connecting > 0) &&
	    now < t->connected + STALL) {
		for (; next < t->active + t->idle &&
		     t->connecting < CONNECTING_MOST;
		     next++)
			connection_open(t, &t->connections[next], now);
		wait_and_handle(t, now + 10 * MS);
		now = now_ns();
	}
	look_for_stalls(t, now);
	publish(t, now);
}

/* Until when there is nothing to do unless something comes. */
static uint64_t
next_look(const struct client *t, uint64_t now)
{
	uint64_t next = now + (t->stopped ? MS : 20 * MS), when;

	if (!t->measuring && t->begin < next)
		next = t->begin;
	if (!t->stopped && t->end < next)
		next = t->end;
	if (t->o->rate > 0 && !t->stopped) {
		when = mode_due(t, t->next);
		if (when < next)
			next = when;
	}
	return next;
}

static void
enter_period(struct client *t)
{
	t->measuring = true;
	t->waited = 0;
	t->cpu_before = thread_cpu();
}

/*
 * A closed loop that never sleeps is busy even if each of its waits takes
 * long in the kernel; in the open loop, waits are short and CPU is no measure.
 */
static void
leave_period(struct client *t, uint64_t now)
{
	double length = now > t->begin ? (double)(now - t->begin) : 1;
	double cpu = (thread_cpu() - t->cpu_before) * 1e9 / length;
	double busy = 1 - (double)t->waited / length;

	t->stopped = true;
	t->result.busy = cpu > busy && t->o->rate == 0 ? cpu : busy;
	if (t->result.busy > 1)
		t->result.busy = 1;
	if (!t->measuring || t->result.busy < 0)
		t->result.busy = 0;
}

static void
run_load(struct client *t)
{
	uint64_t now = now_ns(), looked = now;

	for (unsigned i = 0; i < t->active; i++)
		if (t->connections[i].state == OPEN)
			mode_set_going(t, &t->connections[i], now);
		else if (t->o->churn)
			connection_open(t, &t->connections[i], now);
	for (;;) {
		now = now_ns();
		publish(t, now);
		t->end = atomic_load(&t->run->end);
		if (!t->measuring && now >= t->begin)
			enter_period(t);
		if (t->o->rate > 0 && !t->stopped)
			mode_keep_schedule(t, now);
		if (!t->stopped && now >= t->end)
			leave_period(t, now);
		if (t->stopped &&
		    (is_drained(t, now) ||
			atomic_load(&t->run->interrupts) > 1))
			break;
		if (now >= looked + LOOK_PAUSE) {
			look_for_stalls(t, now);
			looked = now;
		}
		if (!t->stopped)
			retry(t, now);
		wait_and_handle(t, next_look(t, now));
	}
}

/* --- The result --- */

static void
sum_up(struct client *t)
{
	struct result *r = &t->result;
	uint64_t now = now_ns();

	r->least = UINT64_MAX;
	for (unsigned i = 0; i < t->active + t->idle; i++) {
		const struct connection *c = &t->connections[i];
		double messages = (double)c->messages;

		if (c->idle) {
			r->idle_held += c->state == OPEN;
			continue;
		}
		r->held += c->state == OPEN;
		if (c->got < c->goal)
			mode_count_unanswered(t, c, now);
		r->least = c->messages < r->least ? c->messages : r->least;
		r->most = c->messages > r->most ? c->messages : r->most;
		r->sum += messages;
		r->squares += messages * messages;
	}
}

void *
client_main(void *arg)
{
	struct client *t = arg;

	/* Else a wait ends up to 50 us late. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	t->begin = t->end = UINT64_MAX;
	connect_all(t);
	pthread_barrier_wait(&all_connected);
	pthread_barrier_wait(&may_start);
	if (atomic_load(&t->run->abandoned))
		return NULL;
	t->begin = atomic_load(&t->run->begin);
	t->end = atomic_load(&t->run->end);
	t->running = true;
	run_load(t);
	sum_up(t);
	return NULL;
}
