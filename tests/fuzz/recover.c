/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing recovery: a worker has died and left an arena of any contents; a
 * successor takes its slot, a sibling takes it from that one, and both serve
 * and drain.  Whatever they find, they go on in bounds and come to an end.
 *
 * Input: what the dead worker was at, and to what client; patches; 255;
 * patches made before the sibling comes.
 */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/sockets.h"
#include "../unit/whole.h"
#include "config/services.h"
#include "config/value.h"
#include "lib/clock.h"
#include "lib/signals.h"
#include "ground.h"
#include "handler/handler.h"
#include "../model/handlers.h"
#include "worker/balance/balance.h"
#include "worker/balance/handoff.h"
#include "worker/connection/accept.h"
#include "worker/connection/drain.h"
#include "worker/connection/idle.h"
#include "worker/connection/serve.h"
#include "worker/connection/tcp_info.h"

#define CLIENTS 2

static struct {
	struct config config;
	struct arena *arena;
	struct worker w;
	struct sockaddr_in address;
	int listener;
	int client[CLIENTS], fd[CLIENTS];
	unsigned entry; /* of the table of handlers */
	bool plain;	/* no patch was made */
} bed;

/* Entries after those of the built-in handlers. */
enum {
	ENTRY_SUM = 3, /* remembers and writes */
	ENTRY_LATER,   /* holds, until a timer */
	ENTRY_MOVED,   /* by the next one: its states are converted */
	ENTRY_NEXT,
	ENTRIES
};

/* Closing sends RST: no port is left in TIME_WAIT. */
static void
set_abrupt(int fd)
{
	const struct linger l = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static void
begin(void)
{
	const struct log_settings quiet = { .level = LOG_LEVEL_DEBUG,
		.console = -1 };

	if (bed.arena != NULL)
		return;
	signals_block();
	must(log_open(&quiet) == 0);
	config_defaults(&bed.config);
	config_make_service(&bed.config);
}

static void
set_up(void)
{
	struct arena_header *h;

	bed.arena = ground_arena();
	h = bed.arena->header;
	for (unsigned k = 0; k < GROUND_SLOTS; k++) {
		bed.arena->slot[k].wake_fd = checked(eventfd(0, EFD_NONBLOCK),
		    "eventfd");
		bed.arena->slot[k].watch_fd = checked(epoll_create1(0),
		    "epoll_create1");
	}
	h->master_wake_fd = checked(eventfd(0, EFD_NONBLOCK), "eventfd");
	bed.listener = listen_somewhere(&bed.address);
	h->listener[0].fd = bed.listener;
	strcpy(h->listener[0].name, "127.0.0.1:1");
	h->listeners = 1;
	for (unsigned i = 0; i < CLIENTS; i++) {
		bed.client[i] = connect_to(&bed.address, 0);
		set_abrupt(bed.client[i]);
		await(bed.listener, POLLIN);
		bed.fd[i] = checked(accept4(bed.listener, NULL, NULL,
					SOCK_NONBLOCK),
		    "accept4");
		set_abrupt(bed.fd[i]);
	}
}

static void
tear_down(void)
{
	free(bed.w.active.entry);
	free(bed.w.wakeups.entry);
	free(bed.w.slices.visited);
	bed.w.slices.visited = NULL;
	memset(&bed.w, 0, sizeof(bed.w));
	for (int fd = GROUND_FIRST; fd < GROUND_DESCRIPTORS; fd++) {
		set_abrupt(fd);
		(void)close(fd);
	}
}

/* The record of an accepted client: slot k's, watched. */
static struct connection *
enter(unsigned i, unsigned k)
{
	int fd = bed.fd[i];
	struct connection *c = &bed.arena->connection[fd];
	struct epoll_event ev = { .events = EPOLLIN,
		.data.u64 = (uint64_t)EVENT_CONNECTION << 32 | (unsigned)fd };

	c->cookie = tcp_info_cookie(fd);
	c->opened = clock_ms();
	c->half[0].entry = bed.entry;
	c->half[0].delivered = DELIVERED_OPEN;
	c->flags = CONN_ENROLLED;
	accept_note(bed.arena, fd);
	checked(epoll_ctl(bed.arena->slot[k].watch_fd, EPOLL_CTL_ADD, fd, &ev),
	    "epoll_ctl");
	atomic_store(&c->owner, owner_word(CONN_OPEN, k));
	bed.arena->slot[k].held++;
	return c;
}

/* Client 0 has said something, and the worker was at it, or had put the start
 * of a line in the window before. */
static void
leave_behind(uint8_t what, uint8_t said)
{
	struct connection *c = enter(0, 0);
	struct operation *op = &bed.arena->slot[0].op;
	char *window = arena_window(bed.arena, bed.fd[0]);
	char text[256];
	ssize_t n;

	op->fd = bed.fd[0];
	atomic_store(&op->kind, what & 3);
	if ((what & 4) != 0)
		enter(1, 1);
	if (said == 0)
		return;
	memset(text, 'l', said);
	if ((said & 1) != 0)
		text[said / 2] = '\n';
	must(send(bed.client[0], text, said, MSG_NOSIGNAL) == said);
	await(bed.fd[0], POLLIN);
	if ((what & 8) == 0)
		return; /* it had not been read */
	n = recv(bed.fd[0],
	    (what & 16) != 0 ? window : arena_scratch(bed.arena, 0),
	    sizeof(text), MSG_DONTWAIT);
	must(n == said);
	if ((what & 16) != 0) {
		c->rx = (uint64_t)n;
		c->flags |= CONN_SPILLED;
		c->blocks = SPILL_BLOCKS;
	} else if ((what & 32) != 0)
		c->rx = (uint64_t)n;
	if ((what & 64) != 0)
		must(shutdown(bed.client[0], SHUT_WR) == 0);
}

static void
hire(struct worker *w, unsigned entry, const struct echod_handler *h)
{
	w->handler[entry] = (struct worker_handler){ .h = h,
		.service = &bed.config.service[0],
		.state_version = h->state_version,
		.state_size = h->state_size };
}

static void
worker_up(unsigned k)
{
	struct worker *w = &bed.w;

	free(w->active.entry);
	free(w->wakeups.entry);
	free(w->slices.visited);
	worker_init(w, &bed.config, bed.arena,
	    &(struct worker_place){ .slot = k });
	/* As handlers_load() does: a record may name any entry. */
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		w->handler[i].service = &bed.config.defaults;
	hire(w, 0, &handler_echo);
	hire(w, 1, &handler_raw);
	hire(w, 2, &handler_discard);
	hire(w, ENTRY_SUM, &scene_sum);
	hire(w, ENTRY_LATER, &scene_later);
	hire(w, ENTRY_MOVED, &scene_sum);
	hire(w, ENTRY_NEXT, &scene_sum_next);
	w->handler[ENTRY_MOVED].h = NULL;
	w->handler[ENTRY_MOVED].successor = ENTRY_NEXT;
	(void)events_begin(&w->events);
	idle_begin(w);
}

/* As in loop.c, without waiting. */
static void
turn(void)
{
	struct worker *w = &bed.w;
	int n = events_wait(&w->events, 0);

	for (int i = 0; i < n; i++) {
		const struct epoll_event *e = &w->events.event[i];

		if (events_kind(e) == EVENT_CONNECTION)
			serve_event(w, events_number(e), e->events);
	}
	active_round(&w->active);
	/* Every timer is due. */
	w->now = UINT64_MAX / 2;
	serve_timers(w);
	w->now = 0;
}

/* What a worker's loop does, each once. */
static void
work(void)
{
	handoff_accept(&bed.w);
	turn();
	(void)siblings_place(&bed.w.siblings);
	balance(&(struct balance){ .turn = 0 }, &bed.w);
	handoff_withdraw(&bed.w);
	handoff_expire(&bed.w);
	idle_sweep(&bed.w);
	turn();
}

/* An unharmed client is served on. */
static void
check_plain(uint8_t what)
{
	char got[8];

	if (!bed.plain || (what & (64 | 16 | 8)) != 0)
		return;
	must(send(bed.client[0], "\nping\n", 6, MSG_NOSIGNAL) == 6);
	for (int i = 0; i < 3; i++) {
		struct pollfd p = { bed.fd[0], POLLIN, 0 };

		if (poll(&p, 1, 0) == 1)
			turn();
	}
	must(recv(bed.client[0], got, 1, MSG_DONTWAIT) == 1);
}

int
fuzz_recover(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t what, said, how;

	begin();
	what = input_byte(&in);
	said = input_byte(&in);
	how = input_byte(&in);
	bed.entry = how % ENTRIES;
	bed.config.service[0].proxy_protocol = how / 8 % 2 + how / 16 % 2;
	bed.config.service[0].proxy_protocol_timeout = 3;
	bed.config.service[0].maxclients_per_ip = how / 32 % 2;
	set_up();
	bed.plain = in.left < 12 && bed.entry < 2 &&
	    bed.config.service[0].proxy_protocol == PROXY_PROTOCOL_OFF;
	leave_behind(what, said);
	ground_patch(bed.arena, &in, 255);
	worker_up(0);
	(void)recover(&bed.w, 0);
	check_plain(what);
	work();
	ground_patch(bed.arena, &in, 255);
	worker_up(1);
	(void)recover(&bed.w, 0);
	(void)recover(&bed.w, 1);
	work();
	if ((how & 128) != 0)
		(void)accept_some(&bed.w, 0);
	arena_stop(bed.arena, clock_ms() + ((how & 64) != 0 ? 1000 : 0));
	drain_begin(&bed.w);
	(void)drain_step(&bed.w);
	turn();
	(void)drain_step(&bed.w);
	tear_down();
	return 0;
}
