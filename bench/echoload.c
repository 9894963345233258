/* SPDX-License-Identifier: ISC */
/*
 * echoload: a load on a TCP line-echo server of any make, and what it says
 * about the server.  This file: the order of a run, from connecting to report.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bsd/err.h>

#include "echoload_client.h"

#define SLICE (100 * MS) /* SIGINT is noticed after so long at most */

static struct run run;

static void
record_interrupt(int signo)
{
	(void)signo;
	atomic_fetch_add(&run.interrupts, 1);
}

static void
choose_signals(void)
{
	struct sigaction sa = { .sa_handler = record_interrupt };

	sigfillset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void
resolve(const struct options *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	const struct sockaddr_in *sin;
	int error = getaddrinfo(o->host, o->port, &hints, &list);

	if (error != 0)
		errx(EXIT_USAGE, "-h %s: %s", o->host, gai_strerror(error));
	memcpy(&run.server, list->ai_addr, list->ai_addrlen);
	run.server_len = list->ai_addrlen;
	sin = (const struct sockaddr_in *)(const void *)&run.server;
	run.loopback = sin->sin_family == AF_INET &&
	    ntohl(sin->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	freeaddrinfo(list);
}

static void *
allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		err(EXIT_ERRORS, "no memory");
	return p;
}

/* The thread's share of connections, every `threads`th of each kind. */
static void
make_connections(struct client *t)
{
	const struct options *o = t->o;
	unsigned id;

	t->active = (o->connections - t->number + o->threads - 1) / o->threads;
	t->idle = o->idle > t->number
	    ? (o->idle - t->number + o->threads - 1) / o->threads
	    : 0;
	t->connections = allocate(t->active + t->idle, sizeof(*t->connections));
	t->marked = allocate(t->active, sizeof(struct connection *));
	for (unsigned i = 0; i < t->active + t->idle; i++) {
		struct connection *c = &t->connections[i];

		c->fd = -1;
		c->idle = i >= t->active;
		id = c->idle ? i - t->active : i;
		c->id = id * o->threads + t->number +
		    (c->idle ? o->connections : 0);
		c->send_place = pattern_place(t->pattern, c->id, 0);
		c->check_place = c->send_place;
	}
	t->step = 1e9 * o->connections / (double)(o->rate > 0 ? o->rate : 1) /
	    t->active;
}

static struct client *
make_clients(const struct options *o, const struct pattern *p)
{
	struct client *clients = allocate(o->threads, sizeof(*clients));

	for (unsigned i = 0; i < o->threads; i++) {
		struct client *t = &clients[i];

		t->run = &run;
		t->o = o;
		t->pattern = p;
		t->number = i;
		t->down_tail = &t->down;
		t->buffer = allocate(1, BUFFER_SIZE);
		t->ep = epoll_create1(EPOLL_CLOEXEC);
		if (t->ep == -1)
			err(EXIT_ERRORS, "epoll_create1");
		make_connections(t);
	}
	return clients;
}

/* Signals are for this thread, which sleeps and can be woken by them. */
static void
start_threads(struct client *clients, const struct options *o)
{
	sigset_t all, before;
	int error;

	pthread_barrier_init(&all_connected, NULL, o->threads + 1);
	pthread_barrier_init(&may_start, NULL, o->threads + 1);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < o->threads; i++) {
		error = pthread_create(&clients[i].thread, NULL, client_main,
		    &clients[i]);
		if (error != 0)
			errc(EXIT_ERRORS, error, "pthread_create");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
add_up(struct result *r, const struct client *clients, const struct options *o)
{
	r->least = UINT64_MAX;
	for (unsigned i = 0; i < o->threads; i++) {
		const struct result *from = &clients[i].result;

		hist_merge(&r->latency, &from->latency);
		r->messages += from->messages;
		r->bytes += from->bytes;
		for (int k = 0; k < FAILURES; k++)
			r->failures[k] += from->failures[k];
		if (from->other != 0)
			r->other = from->other;
		if (from->strange[0] != '\0')
			memcpy(r->strange, from->strange, sizeof(r->strange));
		r->due += from->due;
		r->unanswered += from->unanswered;
		r->held += from->held;
		r->idle_held += from->idle_held;
		r->busy = from->busy > r->busy ? from->busy : r->busy;
		r->least = from->least < r->least ? from->least : r->least;
		r->most = from->most > r->most ? from->most : r->most;
		r->sum += from->sum;
		r->squares += from->squares;
	}
}

static void
release(struct client *clients, const struct options *o, struct pattern *p)
{
	for (unsigned i = 0; i < o->threads; i++) {
		struct client *t = &clients[i];

		for (unsigned k = 0; k < t->active + t->idle; k++)
			if (t->connections[k].fd != -1)
				close(t->connections[k].fd);
		close(t->ep);
		free(t->buffer);
		free(t->marked);
		free(t->connections);
	}
	free(clients);
	free(p->bytes);
}

static double
own_cpu(void)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void
sleep_until(uint64_t when)
{
	uint64_t now = now_ns();
	struct timespec ts;

	if (now >= when)
		return;
	ts.tv_sec = (time_t)((when - now) / SECOND);
	ts.tv_nsec = (long)((when - now) % SECOND);
	(void)nanosleep(&ts, NULL);
}

/* The line that is rewritten once a second on a terminal. */
static void
progress(uint64_t now, uint64_t *shown, uint64_t *messages)
{
	uint64_t counted = atomic_load(&run.counted);

	if (now < *shown + SECOND)
		return;
	fprintf(stderr, "\r%3.0f s  %.0f messages/s  %llu errors   ",
	    (double)(now - run.begin) / 1e9,
	    (double)(counted - *messages) * 1e9 / (double)(now - *shown),
	    (unsigned long long)atomic_load(&run.failed));
	*shown = now;
	*messages = counted;
}

/*
 * Sleep to the end of the period; SIGINT brings it about.  During the warm-up
 * it brings about an empty period.
 */
static void
watch_run(const struct options *o, struct measures *m)
{
	bool show = !o->quiet && isatty(STDERR_FILENO) == 1;
	uint64_t shown, messages = 0, end, now;
	double server_before, client_before;
	struct machine_time before, after;

	while (now_ns() < run.begin && atomic_load(&run.interrupts) == 0)
		sleep_until(run.begin < now_ns() + SLICE ? run.begin
							 : now_ns() + SLICE);
	before = machine_time();
	server_before = server_cpu(o);
	client_before = own_cpu();
	shown = run.begin;
	for (now = now_ns(); now < (end = atomic_load(&run.end));
	     now = now_ns()) {
		if (atomic_load(&run.interrupts) > 0) {
			atomic_store(&run.end, now);
			break;
		}
		if (show)
			progress(now, &shown, &messages);
		now += o->messages > 0 ? MS : SLICE;
		sleep_until(end < now ? end : now);
	}
	m->server_cpu = server_cpu(o);
	if (m->server_cpu >= 0)
		m->server_cpu -= server_before;
	m->client_cpu = own_cpu() - client_before;
	after = machine_time();
	if (after.all > before.all)
		m->steal = (after.stolen - before.stolen) /
		    (after.all - before.all);
	m->server_pss = server_pss(o);
	end = atomic_load(&run.end);
	m->seconds = end > run.begin ? (double)(end - run.begin) / 1e9 : 0;
	if (show)
		fputs("\r\033[K", stderr);
}

/*
 * Everybody has tried to connect.  If nobody is connected there is nothing to
 * measure.
 */
static void
set_period(const struct options *o, const struct client *clients)
{
	bool any = o->churn && o->idle == 0;

	for (unsigned i = 0; i < o->threads; i++)
		any = any || clients[i].established > 0;
	run.start = now_ns();
	run.begin = run.start + o->warmup * SECOND;
	run.end = o->seconds > 0 ? run.begin + o->seconds * SECOND : UINT64_MAX;
	run.abandoned = !any;
}

int
main(int argc, char **argv)
{
	static struct result result;
	struct measures measures = { .server_cpu = -1,
		.server_pss = -1,
		.steal = -1 };
	struct options options;
	struct pattern pattern;
	struct client *clients;
	bool failed = false;

	parse_arguments(&options, argc, argv);
	resolve(&options);
	run.o = &options;
	if (pattern_make(&pattern, options.size, options.pipeline) == -1)
		err(EXIT_ERRORS, "no memory for messages of %zu bytes",
		    options.size);
	clients = make_clients(&options, &pattern);
	choose_signals();
	start_threads(clients, &options);
	pthread_barrier_wait(&all_connected);
	set_period(&options, clients);
	pthread_barrier_wait(&may_start);
	if (!run.abandoned)
		watch_run(&options, &measures);
	for (unsigned i = 0; i < options.threads; i++)
		pthread_join(clients[i].thread, NULL);
	add_up(&result, clients, &options);
	release(clients, &options, &pattern);
	if (run.abandoned && !options.quiet)
		warnx("%s port %s: no connection could be made", options.host,
		    options.port);
	report(&options, &result, &measures);
	for (int i = 0; i < FAILURES; i++)
		failed = failed || result.failures[i] > 0;
	return failed ? EXIT_ERRORS : EXIT_GOOD;
}
