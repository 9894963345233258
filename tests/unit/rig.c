/* SPDX-License-Identifier: ISC */
/*
 * A service in one process, with its clients.
 */
#include "config/services.h"
#include "config/value.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handler/handler.h"
#include "lib/clock.h"
#include "lib/signals.h"
#include "master/listeners/listen.h"
#include "worker/balance/handoff.h"
#include "worker/connection/idle.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"
#include "shared/service.h"

struct rig rig;

void
rig_begin(void)
{
	const struct log_settings quiet = { .level = LOG_LEVEL_WARNING + 1,
		.console = -1 };

	signals_block();
	checked(log_open(&quiet), "log_open");
}

/* A child has no mapping of its parent's: it makes one of the `old`. */
static void
rig_make_service(int old)
{
	char why[128];

	rig.service = service_make(&rig.arena, &rig.service_fd, old, why,
	    sizeof(why));
	checked(rig.service == NULL ? -1 : 0, "service_make");
}

void
rig_up(void)
{
	static struct addresses wanted;
	struct listen_numbers numbers;
	socklen_t len = sizeof(rig.address);
	struct arena *a = &rig.arena;

	memset(&rig, 0, sizeof(rig));
	config_defaults(&rig.config);
	config_make_service(&rig.config);
	rig.config.service[0].port = 0;
	rig.config.service[0].bind.count = 1;
	strcpy(rig.config.service[0].bind.address[0].host, "127.0.0.1");
	strcpy(rig.config.service[0].handler, "echo");
	/* Its workers may be threads, which end by a call that a worker does
	 * not make. */
	rig.config.sandbox = SANDBOX_NO;
	checked(arena_create(a, SLOTS, DESCRIPTORS, DESCRIPTORS),
	    "arena_create");
	rig_make_service(-1);
	rig.service->workers = SLOTS;
	for (unsigned k = 0; k < SLOTS; k++) {
		rig.service->slot[k].wake_fd = checked(eventfd(0, EFD_NONBLOCK),
		    "eventfd");
		rig.service->slot[k].watch_fd = checked(epoll_create1(0),
		    "epoll_create1");
	}
	listen_number(&rig.service->handlers, &rig.config, &numbers);
	checked(listen_open(a, rig.service, &rig.config, &numbers, NULL,
		    &wanted),
	    "listen_open");
	rig.listener = a->header->listener[0].fd;
	checked(getsockname(rig.listener, (struct sockaddr *)&rig.address,
		    &len),
	    "getsockname");
}

void
rig_down(void)
{
	free(rig.w.active.entry);
	free(rig.w.wakeups.entry);
	free(rig.w.slices.visited);
	rig.w.slices.visited = NULL;
	service_destroy(rig.service, rig.service_fd);
	arena_destroy(&rig.arena);
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		(void)close(fd);
}

struct worker_place
place_of(unsigned k)
{
	return (struct worker_place){ .slot = k,
		.master = getppid(),
		.seat = { rig.service->seat[0].pidfd,
		    rig.service->seat[1].pidfd },
		.watch_fd = rig.service->slot[k].watch_fd };
}

/* The built-in handlers and the test's own, all of the one service. */
static void
rig_load_handlers(struct worker *w)
{
	w->handler[ENTRY_ECHO].h = &handler_echo;
	w->handler[ENTRY_RAW].h = &handler_raw;
	w->handler[ENTRY_DISCARD].h = &handler_discard;
	memcpy(&w->handler[ENTRY_OWN], rig.own, sizeof(rig.own));
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		w->handler[i].service = &rig.config.service[0];
}

void
worker_up(unsigned k)
{
	struct worker *w = &rig.w;

	struct worker_place place = { .slot = k,
		.seat = { rig.service->seat[0].pidfd,
		    rig.service->seat[1].pidfd },
		.watch_fd = rig.service->slot[k].watch_fd };

	free(w->active.entry);
	free(w->wakeups.entry);
	free(w->slices.visited);
	worker_init(w, &rig.config, &rig.arena, &place);
	rig_load_handlers(w);
	rig.balance = (struct balance){ .turn = 0 };
	checked(events_begin(&w->events), "events_begin");
	idle_begin(w);
}

struct recovered
succeed(void)
{
	worker_up(0);
	return recover(&rig.w, 0);
}

struct slot *
slot(unsigned k)
{
	return &rig.arena.slot[k];
}

struct pair
accepted(int receive_buffer)
{
	struct pair p;

	p.client = connect_to(&rig.address, receive_buffer);
	await(rig.listener, POLLIN);
	p.fd = checked(accept4(rig.listener, NULL, NULL, SOCK_NONBLOCK),
	    "accept4");
	p.c = &rig.arena.connection[p.fd];
	return p;
}

void
set_owner(const struct pair *p, enum connection_state state, unsigned k)
{
	atomic_store(&p->c->owner, owner_word(state, k));
}

bool
is_owned(const struct pair *p, enum connection_state state, unsigned k)
{
	return connection_owner(p->c) == owner_word(state, k);
}

void
note_end(int fd)
{
	struct arena_header *h = rig.arena.header;

	if (h->descriptor_end <= (uint32_t)fd)
		h->descriptor_end = (uint32_t)fd + 1;
}

void
enter(const struct pair *p, unsigned k)
{
	memset(p->c, 0, sizeof(*p->c));
	p->c->cookie = tcp_info_cookie(p->fd);
	p->c->opened = clock_ms();
	p->c->half[0].entry = rig.entry;
	p->c->half[0].delivered = DELIVERED_OPEN;
	p->c->active = 7; /* a dead worker's: has no meaning any more */
	note_end(p->fd);
	set_registered(p, k, EPOLLIN);
	p->c->flags = CONN_ENROLLED;
	set_owner(p, CONN_OPEN, k);
	slot(k)->held++;
}

struct pair
opened(void)
{
	struct pair p = accepted(0);

	enter(&p, 0);
	return p;
}

struct pair
offered(unsigned from, unsigned to)
{
	struct pair p = accepted(0);

	enter(&p, from);
	set_registered(&p, from, 0);
	p.c->flags = 0;
	p.c->offered_by = (uint16_t)from;
	slot(from)->held--;
	set_owner(&p, CONN_OFFERED, to);
	return p;
}

void
name(enum operation_kind kind, int fd, uint64_t base)
{
	struct operation *op = &slot(0)->op;

	op->fd = fd;
	op->base = base;
	atomic_store(&op->kind, kind);
}

void
say_bytes(const struct pair *p, const char *bytes, size_t n)
{
	if (send(p->client, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
	await(p->fd, POLLIN);
}

void
say(const struct pair *p, const char *text)
{
	say_bytes(p, text, strlen(text));
}

void
take(const struct pair *p, char *to, size_t n)
{
	await(p->fd, POLLIN);
	if (recv(p->fd, to, n, MSG_DONTWAIT) != (ssize_t)n)
		die("recv");
}

size_t
send_back(const struct pair *p, const char *from, size_t n)
{
	ssize_t sent = send(p->fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent <= 0)
		die("send");
	return (size_t)sent;
}

void
turn(int ms)
{
	struct worker *w = &rig.w;
	eventfd_t ignored;
	bool wake = false;
	int n = events_wait(&w->events,
	    clock_earlier(clock_ms() + (uint64_t)ms,
		w->timers.at[TIMER_CONNECTIONS]));

	w->now = 0;
	for (int i = 0; i < n; i++) {
		const struct epoll_event *e = &w->events.event[i];

		if (events_kind(e) == EVENT_CONNECTION)
			serve_event(w, events_number(e), e->events);
		else if (events_kind(e) == EVENT_WAKE)
			wake = true;
	}
	if (wake) {
		(void)eventfd_read(w->slot->wake_fd, &ignored);
		handoff_accept(w);
	}
	if (n > 0)
		active_round(&w->active);
	w->now = 0;
	if (timer_take(&w->timers, TIMER_CONNECTIONS, clock_ms()))
		serve_timers(w);
}

size_t
hear(const struct pair *p, char *to, size_t n)
{
	uint64_t deadline = clock_ms() + PATIENCE;
	size_t got = 0;

	while (got < n && clock_ms() < deadline) {
		ssize_t r = recv(p->client, to + got, n - got, MSG_DONTWAIT);

		if (r > 0)
			got += (size_t)r;
		else if (r == 0 || errno != EAGAIN)
			break;
		else
			turn(2);
	}
	return got;
}

bool
silent(const struct pair *p)
{
	char c;

	for (int i = 0; i < 3; i++)
		turn(1);
	return recv(p->client, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

bool
hears_bytes(const struct pair *p, const char *bytes, size_t n)
{
	char *got = malloc(n + 1);
	bool good = got != NULL && hear(p, got, n) == n &&
	    memcmp(got, bytes, n) == 0 && silent(p);

	free(got);
	return good;
}

bool
hears(const struct pair *p, const char *text)
{
	return hears_bytes(p, text, strlen(text));
}

bool
hears_end(const struct pair *p)
{
	uint64_t deadline = clock_ms() + PATIENCE;
	ssize_t r;
	char c;

	while ((r = recv(p->client, &c, 1, MSG_DONTWAIT)) == -1 &&
	    errno == EAGAIN && clock_ms() < deadline)
		turn(2);
	return r == 0;
}

bool
echoes(const struct pair *p)
{
	say(p, "Are you there?\n");
	return hears(p, "Are you there?\n");
}

bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

bool
is_active(const struct pair *p)
{
	const struct worker *w = &rig.w;

	return p->c->active < w->active.count &&
	    active_at(&w->active, p->c->active) == p->fd;
}

/* The number of entries in slot k's epoll instance.  `events`, if not NULL,
 * becomes the events for which it watches `fd` as a connection. */
static unsigned
look(unsigned k, int fd, uint32_t *events)
{
	char path[64], line[256];
	unsigned n = 0, mask;
	unsigned long long data;
	FILE *f;
	int tfd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", slot(k)->watch_fd);
	if ((f = fopen(path, "r")) == NULL)
		die(path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "tfd: %d events: %x data: %llx", &tfd, &mask,
			&data) == 3) {
			n++;
			if (events != NULL && tfd == fd &&
			    data ==
				((uint64_t)EVENT_CONNECTION << 32 |
				    (unsigned)fd))
				*events = mask & (EPOLLIN | EPOLLOUT);
		}
	fclose(f);
	return n;
}

uint32_t
registered(const struct pair *p, unsigned k)
{
	uint32_t events = 0;

	(void)look(k, p->fd, &events);
	return events;
}

unsigned
watched_by(unsigned k)
{
	return look(k, -1, NULL);
}

void
set_registered(const struct pair *p, unsigned k, uint32_t events)
{
	struct epoll_event ev = { .events = events,
		.data.u64 = (uint64_t)EVENT_CONNECTION << 32 |
		    (unsigned)p->fd };
	int ep = slot(k)->watch_fd;

	(void)epoll_ctl(ep, EPOLL_CTL_DEL, p->fd, NULL);
	if (events != 0)
		checked(epoll_ctl(ep, EPOLL_CTL_ADD, p->fd, &ev), "epoll_ctl");
}

bool
is_watched(const struct pair *p)
{
	bool out = p->c->phase != PHASE_LINGERING &&
	    connection_unsent(p->c) > 0;
	unsigned flags = CONN_ENROLLED | (out ? CONN_WRITES : 0);
	bool good = (p->c->flags & (CONN_ENROLLED | CONN_WRITES)) == flags;

	for (unsigned k = 0; k < SLOTS; k++)
		if (registered(p, k) !=
		    (k != rig.w.number ? 0U
			    : out      ? EPOLLOUT
				       : EPOLLIN)) {
			printf("# slot %u watches for %#x\n", k,
			    registered(p, k));
			good = false;
		}
	if (!good)
		printf("# unsent %zu flags %#x\n", connection_unsent(p->c),
		    p->c->flags);
	return good;
}

bool
at_positions(const struct pair *p, uint64_t rx, uint64_t tx, uint64_t consumed,
    uint64_t produced)
{
	const struct connection *c = p->c;
	const struct half *h = connection_half(c);
	bool good = c->rx == rx && c->tx == tx && h->consumed == consumed &&
	    h->produced == produced;

	if (!good)
		printf("# rx %llu tx %llu consumed %llu produced %llu\n",
		    (unsigned long long)c->rx, (unsigned long long)c->tx,
		    (unsigned long long)h->consumed,
		    (unsigned long long)h->produced);
	return good;
}

struct half *
half_of(const struct pair *p)
{
	return &p->c->half[p->c->epoch % 2];
}

void
stepped(const struct pair *p, uint64_t consumed, uint64_t produced,
    size_t written, size_t passed)
{
	struct half *h = half_of(p);

	h->consumed = consumed;
	h->produced = produced;
	h->written = (uint32_t)written;
	h->passed = (uint32_t)passed;
}

void
passed(const struct pair *p, uint64_t n)
{
	stepped(p, n, n, 0, (size_t)(n - p->c->tx));
}

bool
window_holds(const struct pair *p, const char *text)
{
	size_t n = strlen(text);

	return (p->c->flags & CONN_SPILLED) != 0 &&
	    connection_pending(p->c) == n &&
	    memcmp(arena_window(&rig.arena, p->fd) +
		    (connection_kept(p->c) - p->c->window_base),
		text, n) == 0;
}

uint64_t
closed(unsigned k, enum close_reason reason)
{
	return atomic_load(&slot(k)->count[0].closed[reason]);
}

bool
settled(unsigned kept, unsigned lost, struct recovered r)
{
	bool good = r.kept == kept && r.closed == lost &&
	    rig.w.slot->held == kept && slot(0)->op.kind == OP_NONE &&
	    slot(0)->fault == 0;

	if (!good)
		printf("# kept %u closed %u held %u op %u fault %d\n", r.kept,
		    r.closed, rig.w.slot->held, slot(0)->op.kind,
		    slot(0)->fault);
	return good;
}

void
history(const struct pair *p, const char *text)
{
	size_t n = strlen(text);
	char got[64];

	say(p, text);
	take(p, arena_scratch(&rig.arena, 0), n);
	if (send_back(p, text, n) != n ||
	    recv(p->client, got, n, MSG_WAITALL) != (ssize_t)n)
		die("history");
	p->c->rx = p->c->tx = n;
	passed(p, n);
}

void
long_history(const struct pair *p, size_t n)
{
	static char bytes[8192];

	for (size_t part; n > 0; n -= part) {
		part = n < sizeof(bytes) ? n : sizeof(bytes);
		say_bytes(p, bytes, part);
		take(p, bytes, part);
		if (send_back(p, bytes, part) != part ||
		    recv(p->client, bytes, part, MSG_WAITALL) != (ssize_t)part)
			die("long_history");
		p->c->rx = p->c->tx += part;
		passed(p, p->c->rx);
	}
}

void
hold(const struct pair *p, const char *text, uint64_t offset)
{
	size_t n = strlen(text);

	p->c->window_base = connection_kept(p->c) - offset;
	say(p, text);
	take(p, arena_window(&rig.arena, p->fd) + offset, n);
	p->c->rx += n;
	p->c->flags |= CONN_SPILLED;
	p->c->blocks = SPILL_BLOCKS;
}

char *
pattern(size_t n)
{
	char *s = malloc(n);

	if (s == NULL)
		die("malloc");
	for (size_t i = 0; i < n; i++)
		s[i] = (char)('a' + (i * 7 + i / 251) % 26);
	s[n - 1] = '\n';
	return s;
}

struct pair
stuck(const char *bytes, size_t n)
{
	struct pair p = accepted(2048);
	char *window = arena_window(&rig.arena, p.fd);
	int small = 4096, fresh = 20;
	ssize_t r;

	enter(&p, 0);
	checked(setsockopt(p.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    "setsockopt");
	say_bytes(&p, bytes, n);
	while (p.c->rx < n)
		if ((r = recv(p.fd, window + p.c->rx, n - p.c->rx,
			 MSG_DONTWAIT)) > 0)
			p.c->rx += (uint64_t)r;
		else
			await(p.fd, POLLIN);
	passed(&p, n);
	p.c->flags |= CONN_SPILLED;
	p.c->blocks = SPILL_BLOCKS;
	/* Until the socket has been full for a while. */
	while (poll(&(struct pollfd){ p.fd, POLLOUT, 0 }, 1, fresh) == 1)
		p.c->tx += send_back(&p, window + p.c->tx, n - p.c->tx);
	return p;
}

bool
survives(bool (*action)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = checked(fork(), "fork");
	if (pid == 0) {
		alarm(30);
		rig_make_service(rig.service_fd);
		_exit(action() ? 0 : 1);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		printf("# died of signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
