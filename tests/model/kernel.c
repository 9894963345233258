/* SPDX-License-Identifier: ISC */
/*
 * A kernel for the workers: descriptors, TCP as far as its calls show it,
 * epoll, time.  Every outcome of a call is tried.  The properties about sockets
 * are checked here, see README.md.
 */
#include "explore.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "handlers.h"
#include "worker/events.h"
#include "shared/service.h"

#define PIDFD 2 /* the master's, which does not die */
#define LISTENER 3
#define WAKE(k) (4 + 2 * (int)(k))
#define WATCH(k) (5 + 2 * (int)(k))
#define MASTER_WAKE (4 + 2 * SLOTS)
#define SAID 64
#define PORT 6379

/* A client and its socket. */
static struct tcp {
	bool connected, accepted, closed;
	uint64_t cookie;
	char said[SAID];
	size_t arrived, taken;
	bool fin, reset; /* of the client */
	bool fin_taken;
	size_t sent, acked;
	bool shut; /* SHUT_WR of ours */
	bool full; /* takes no more until a worker sleeps */
	bool refused;
	bool broken;	/* a call failed: it may be closed */
	uint64_t heard; /* time of the last input, ms */
} tcp[CLIENTS];

static struct tcp *table[DESCRIPTORS];
static uint64_t cookies;
static bool shut_listener;
static unsigned woken[SLOTS];
static bool signalled[SLOTS];

/* The entries of each epoll instance, by descriptor.  close() removes them. */
static struct {
	bool in;
	uint32_t events;
	uint64_t data;
} entry[SLOTS][DESCRIPTORS];

uint64_t model_now;

void
kernel_reset(void)
{
	memset(tcp, 0, sizeof(tcp));
	memset(table, 0, sizeof(table));
	memset(woken, 0, sizeof(woken));
	memset(signalled, 0, sizeof(signalled));
	memset(entry, 0, sizeof(entry));
	cookies = 0;
	shut_listener = false;
	model_now = 1000000;
	for (unsigned k = 0; k < SLOTS; k++) {
		arena.slot[k].wake_fd = WAKE(k);
		arena.slot[k].watch_fd = WATCH(k);
	}
	arena.header->master_wake_fd = MASTER_WAKE;
}

static unsigned
number(const struct tcp *t)
{
	return (unsigned)(t - tcp);
}

/* --- events from outside */

void
kernel_wake(unsigned k)
{
	woken[k]++;
}

void
kernel_signal(unsigned k, bool pending)
{
	signalled[k] = pending;
}

static void
arrives(struct tcp *t, const char *text)
{
	memcpy(t->said + t->arrived, text, strlen(text));
	t->arrived += strlen(text);
	t->heard = model_now;
}

void
kernel_event(const struct event *e)
{
	struct tcp *t = &tcp[e->who];

	switch (e->what) {
	case CONNECTS:
		trace("client %u connects", e->who);
		t->connected = true;
		t->cookie = ++cookies;
		arrives(t, e->text);
		break;
	case SAYS:
		if (t->reset || t->fin)
			break;
		trace("client %u says %zu bytes", e->who, strlen(e->text));
		arrives(t, e->text);
		break;
	case FINISHES:
		trace("client %u finishes", e->who);
		t->fin = true;
		break;
	case RESETS:
		trace("client %u resets", e->who);
		t->reset = true;
		break;
	default:
		break;
	}
}

bool
kernel_answers(void)
{
	bool any = false;

	for (struct tcp *t = tcp; t < tcp + CLIENTS; t++)
		if (t->accepted && t->shut && !t->fin && !t->closed) {
			trace("client %u answers FIN with FIN", number(t));
			t->fin = any = true;
		}
	return any;
}

/* --- the properties */

static struct tcp *
socket_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS ? table[fd] : NULL;
}

/* Only the owner of a connection uses its descriptor, and for no other
 * connection. */
static struct tcp *
used(int fd, const char *call)
{
	struct tcp *t = socket_of(fd);
	struct connection *c = &arena.connection[fd];
	uint32_t h = connection_owner(c);
	unsigned k = running();

	if (t == NULL)
		violated("P6", "%s on descriptor %d, which is closed", call,
		    fd);
	if (h != owner_word(CONN_OPEN, k) && h != owner_word(CONN_CLOSING, k))
		violated("P4", "%s by worker %u on %d, held as %u by %u", call,
		    k, fd, owner_state(h), owner_slot(h));
	if (c->cookie != t->cookie)
		violated("P6", "%s on %d, which is another socket by now", call,
		    fd);
	return t;
}

void
kernel_written(const void *p)
{
	const char *base = (const char *)arena.connection;
	const char *window = arena.window;
	struct connection *c;
	uint32_t h;
	unsigned k = running();
	size_t fd;

	if ((const char *)p >= base &&
	    (const char *)p < base + DESCRIPTORS * sizeof(*c))
		fd = (size_t)((const char *)p - base) / sizeof(*c);
	else if ((const char *)p >= window)
		fd = (size_t)((const char *)p - window) / SPILL_WINDOW;
	else if ((const char *)p >= arena.output)
		fd = (size_t)((const char *)p - arena.output) / OUTPUT_WINDOW;
	else if ((const char *)p >= arena.state)
		fd = (size_t)((const char *)p - arena.state) / STATE_STRIDE;
	else
		return;
	c = &arena.connection[fd];
	h = connection_owner(c);
	if (owner_slot(h) == k && owner_state(h) != CONN_FREE)
		return;
	/* The successor writes to the records of a dead worker. */
	if (owner_state(h) != CONN_FREE && !is_alive(owner_slot(h)))
		return;
	if (owner_state(h) == CONN_OFFERED &&
	    (c->offered_by == k || !is_alive(c->offered_by)))
		return;
	violated("P4",
	    "worker %u writes to the record of %zu, held as %u by "
	    "%u",
	    k, fd, owner_state(h), owner_slot(h));
}

/* What the client must have received, of the bytes that were taken from it.
 * `last`: if no other comes. */
static const struct reference *
due(const struct tcp *t, bool last)
{
	static struct reference r;
	size_t header = t->taken < strlen(scene->header)
	    ? t->taken
	    : strlen(scene->header);

	reference_run(scene->handler, t->said + header, t->taken - header, last,
	    &r);
	return &r;
}

/* True if the handler has reason to reset the connection. */
static bool
is_marked(const struct tcp *t)
{
	return scene->handler == &scene_strict &&
	    memchr(t->said, STRICT_MARK, t->taken) != NULL;
}

static bool
is_stopped(void)
{
	return arena_stop_deadline(&arena) != 0;
}

/* The header of a connection that has not come does not count. */
static bool
awaits_header(const struct tcp *t)
{
	return t->taken < strlen(scene->header);
}

static void
closes(struct tcp *t, int fd)
{
	trace("close(%d), client %u", fd, number(t));
	t->closed = true;
	if (t->reset || t->broken || t->refused)
		return;
	/* A death may have prevented that it was told the reason. */
	if (scene->maxclients > 0 && t->taken == 0 && !t->fin)
		return;
	if (t->taken < t->arrived)
		violated("P1", "client %u is closed with %zu bytes unread",
		    number(t), t->arrived - t->taken);
	if (!awaits_header(t) && t->sent < due(t, true)->length)
		violated("P1", "client %u is closed, %zu bytes not sent",
		    number(t), due(t, true)->length - t->sent);
	if (!t->fin && !is_stopped())
		violated("P5", "client %u is closed without a reason",
		    number(t));
}

/* Input of an open connection that its handler has not consumed. */
static size_t
left_of(const struct tcp *t)
{
	for (unsigned fd = 0; fd < DESCRIPTORS; fd++)
		if (table[fd] == t)
			return connection_unconsumed(&arena.connection[fd]);
	return 0;
}

/* The counters of all slots agree with the records. */
static void
at_rest_counters(void)
{
	uint64_t rx = 0, tx = 0, accepted = 0, closed = 0, open = 0;

	for (unsigned k = 0; k < SLOTS; k++) {
		const struct slot *s = &arena.slot[k];

		rx += slot_sum(s, rx) - slot_sum(s, rx_closed);
		tx += slot_sum(s, tx) - slot_sum(s, tx_closed);
		accepted += slot_sum(s, accepted);
		for (unsigned r = 0; r < CLOSE_REASONS; r++)
			closed += slot_sum(s, closed[r]);
	}
	for (unsigned fd = 0; fd < DESCRIPTORS; fd++)
		if (table[fd] != NULL) {
			open++;
			rx -= arena.connection[fd].rx;
			tx -= arena.connection[fd].tx;
		}
	/* Clients that are refused are closed and not accepted. */
	if (scene->maxclients > 0)
		return;
	if (rx != 0 || tx != 0)
		violated("P7",
		    "the counters have %lld bytes of input and %lld of "
		    "output more than the records",
		    (long long)rx, (long long)tx);
	if (accepted - closed != open)
		violated("P7", "%llu clients accepted, %llu closed, %llu open",
		    (unsigned long long)accepted, (unsigned long long)closed,
		    (unsigned long long)open);
}

void
kernel_at_rest(void)
{
	uint32_t held[SLOTS] = { 0 }, blocks[SLOTS] = { 0 };
	bool stopped = is_stopped();

	for (unsigned fd = 0; fd < DESCRIPTORS; fd++) {
		struct connection *c = &arena.connection[fd];
		uint32_t h = connection_owner(c);
		struct tcp *t = table[fd];
		unsigned k = owner_slot(h);

		if (t == NULL) {
			if (h != 0)
				violated("P5",
				    "record %u is held as %u by %u,"
				    " its descriptor is closed",
				    fd, owner_state(h), k);
			if (arena.mark[fd] != 0)
				violated("P7",
				    "record %u is free and counted "
				    "for its address",
				    fd);
			if (arena.service[fd] != 0)
				violated("P7",
				    "record %u is free and counted "
				    "for its service",
				    fd);
			continue;
		}
		if (owner_state(h) != CONN_OPEN || !is_alive(k))
			violated("P5",
			    "client %u, descriptor %u, is held as "
			    "%u by %u",
			    number(t), fd, owner_state(h), k);
		if (c->cookie != t->cookie)
			violated("P6", "record %u is another socket's", fd);
		if (arena.mark[fd] == 0)
			violated("P7",
			    "client %u is not counted for its "
			    "address",
			    number(t));
		if (arena.service[fd] == 0)
			violated("P7",
			    "client %u is not counted for its service",
			    number(t));
		/* Else its next input would not be read. */
		if (!entry[k][fd].in || (c->flags & CONN_ENROLLED) == 0)
			violated("P5",
			    "client %u is not watched by its owner, "
			    "worker %u",
			    number(t), k);
		if (connection_pending(c) == 0 && connection_blocks(c) != 0 &&
		    c->used == 0)
			violated("P7",
			    "the window of client %u is kept for "
			    "nothing",
			    number(t));
		held[k]++;
		blocks[k] += connection_blocks(c);
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct tcp *t = &tcp[i];

		if (!t->connected)
			continue;
		if (!t->accepted && !t->reset)
			violated("P5", "client %u waits for ever", i);
		if (is_marked(t) && !t->closed)
			violated("P5", "client %u is not reset", i);
		if (t->closed || t->reset || t->broken)
			continue;
		if (t->taken < t->arrived)
			violated("P5", "client %u: %zu bytes are not read", i,
			    t->arrived - t->taken);
		if (!awaits_header(t) && t->sent < due(t, false)->length)
			violated("P1", "client %u: %zu of %zu bytes came back",
			    i, t->sent, due(t, false)->length);
		if (!awaits_header(t) && left_of(t) != due(t, false)->left)
			violated("P1",
			    "client %u: its handler has left %zu "
			    "bytes, not %zu",
			    i, left_of(t), due(t, false)->left);
		if (t->fin || stopped)
			violated("P5", "client %u is not closed", i);
	}
	for (unsigned k = 0; k < SLOTS; k++) {
		const struct slot *s = &arena.slot[k];

		if (s->held != held[k])
			violated("P7",
			    "slot %u holds %u connections, its "
			    "counter says %u",
			    k, held[k], s->held);
		if (s->blocks != blocks[k])
			violated("P7",
			    "slot %u has %u blocks, its counter "
			    "says %u",
			    k, blocks[k], s->blocks);
		if (s->inflight != 0)
			violated("P7",
			    "%u are on their way to slot %u for "
			    "ever",
			    s->inflight, k);
	}
	at_rest_counters();
	if (arena.header->admission != 0)
		violated("P7", "the admission is never released");
}

/* --- calls */

/* A call of a worker, before it takes effect. */
static void
call(const char *fmt, ...)
{
	char text[80];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	point(text, 0, true);
	perhaps_event();
}

static int
fails(int error)
{
	trace("fails, error %d", error);
	errno = error;
	return -1;
}

int
__wrap_accept4(int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	static const int errors[] = { 0, EINTR, ECONNABORTED, EMFILE };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(1000) };
	unsigned o;

	(void)flags;
	call("accept4");
	if (shut_listener)
		return fails(EINVAL);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct tcp *t = &tcp[i];

		if (!t->connected || t->accepted)
			continue;
		if ((o = outcome(4)) != 0)
			return fails(errors[o]);
		for (fd = MASTER_WAKE + 1;
		     fd < DESCRIPTORS && table[fd] != NULL; fd++)
			;
		if (fd == DESCRIPTORS)
			return fails(EMFILE);
		table[fd] = t;
		t->accepted = true;
		in.sin_addr.s_addr = htonl(0x0a000001 + i);
		memcpy(a, &in, sizeof(in));
		*len = sizeof(in);
		trace("client %u is descriptor %d", i, fd);
		return fd;
	}
	return fails(EAGAIN);
}

ssize_t
__wrap_recv(int fd, void *to, size_t room, int flags)
{
	static const int errors[] = { 0, 0, EAGAIN, EINTR, ENOMEM, ECONNRESET };
	struct tcp *t;
	size_t n;
	unsigned o;

	(void)flags;
	call("recv(%d, %zu)", fd, room);
	t = used(fd, "recv");
	if (t->reset)
		return fails(ECONNRESET);
	n = t->arrived - t->taken;
	if (n == 0) {
		if (!t->fin)
			return fails(EAGAIN);
		trace("end of file");
		return 0;
	}
	o = outcome(6);
	if (o > 1) {
		t->broken |= errors[o] == ECONNRESET;
		return fails(errors[o]);
	}
	if (n > room)
		n = room;
	if (o == 1)
		n = 1;
	memcpy(to, t->said + t->taken, n);
	t->taken += n;
	trace("%zu bytes", n);
	return (ssize_t)n;
}

ssize_t
__wrap_send(int fd, const void *from, size_t n, int flags)
{
	static const int errors[] = { 0, 0, 0, EAGAIN, EINTR, ENOBUFS, EPIPE };
	const struct reference *r;
	const char *bytes = from;
	struct tcp *t;
	unsigned o;

	(void)flags;
	call("send(%d, %zu)", fd, n);
	t = used(fd, "send");
	if (t->reset || t->shut)
		return fails(EPIPE);
	if (owner_state(arena.connection[fd].owner) == CONN_CLOSING) {
		t->refused = true;
		return (ssize_t)n;
	}
	if (t->full)
		return fails(EAGAIN);
	o = outcome(7);
	if (o > 2) {
		t->broken |= errors[o] == EPIPE;
		t->full |= errors[o] == EAGAIN;
		return fails(errors[o]);
	}
	if (o != 0) {
		n = o == 1 ? 1 : (n + 1) / 2;
		t->full = true;
	}
	r = due(t, t->fin || is_stopped());
	for (size_t i = 0; i < n; i++) {
		if (t->sent + i >= r->length)
			violated("P2", "client %u is sent more than is due",
			    number(t));
		if (bytes[i] != r->out[t->sent + i])
			violated(memchr(r->out, bytes[i], t->sent + i) != NULL
				? "P2"
				: "P3",
			    "client %u is sent %d where %d "
			    "belongs",
			    number(t), bytes[i], r->out[t->sent + i]);
	}
	t->sent += n;
	trace("%zu bytes", n);
	return (ssize_t)n;
}

int
__wrap_shutdown(int fd, int how)
{
	struct tcp *t;

	call("shutdown(%d)", fd);
	if (fd == LISTENER) {
		shut_listener = true;
		return 0;
	}
	(void)how;
	t = used(fd, "shutdown");
	if (t->reset || (t->shut && t->fin))
		return fails(ENOTCONN);
	if (!awaits_header(t) && t->sent < due(t, true)->length && !t->broken &&
	    !t->refused)
		violated("P1", "FIN before %zu bytes of client %u",
		    due(t, true)->length - t->sent, number(t));
	t->shut = true;
	return 0;
}

int __real_close(int);

int
__wrap_close(int fd)
{
	struct tcp *t;

	if (running() == NOBODY)
		return __real_close(fd);
	call("close(%d)", fd);
	t = used(fd, "close");
	if (owner_state(arena.connection[fd].owner) != CONN_CLOSING)
		violated("P4", "close of %d, whose record is open", fd);
	closes(t, fd);
	table[fd] = NULL;
	for (unsigned k = 0; k < SLOTS; k++)
		entry[k][fd].in = false;
	return outcome(2) == 1 ? fails(EINTR) : 0;
}

int
__wrap_ioctl(int fd, unsigned long request, int *n)
{
	struct tcp *t = socket_of(fd);

	call("ioctl(%d, %s)", fd, request == SIOCINQ ? "SIOCINQ" : "SIOCOUTQ");
	if (t == NULL)
		return fails(EBADF);
	*n = (int)(request == SIOCINQ ? t->arrived - t->taken
				      : t->sent + t->shut - t->acked);
	return 0;
}

static int
information(struct tcp *t, struct tcp_info *info)
{
	enum {
		ESTABLISHED = 1,
		FIN_WAIT2 = 5,
		CLOSE = 7,
		CLOSE_WAIT = 8
	};

	info->tcpi_state = t->reset || (t->shut && t->fin) ? CLOSE
	    : t->fin					   ? CLOSE_WAIT
	    : t->shut					   ? FIN_WAIT2
							   : ESTABLISHED;
	info->tcpi_bytes_received = t->arrived + t->fin;
	info->tcpi_bytes_acked = t->acked;
	info->tcpi_last_data_recv = (uint32_t)(model_now - t->heard);
	/* The acknowledgement arrives between two calls. */
	t->acked = t->sent + t->shut;
	return 0;
}

int
__wrap_setsockopt(int fd, int level, int option, const void *value,
    socklen_t len)
{
	struct tcp *t = socket_of(fd);

	(void)value;
	(void)len;
	call("setsockopt(%d, %d)", fd, option);
	/* So a close is a reset, which only one handler asks for. */
	if (level == SOL_SOCKET && option == SO_LINGER && t != NULL)
		t->broken |= is_marked(t);
	return 0;
}

int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	struct tcp *t = socket_of(fd);

	(void)len;
	call("getsockopt(%d, %d)", fd, option);
	if (level == SOL_SOCKET && option == SO_ACCEPTCONN &&
	    (t != NULL || fd == LISTENER)) {
		*(int *)value = fd == LISTENER && !shut_listener;
		return 0;
	}
	if (t == NULL)
		return fails(
		    fd > LISTENER && fd <= MASTER_WAKE ? ENOTSOCK : EBADF);
	if (level == SOL_SOCKET && option == SO_COOKIE)
		memcpy(value, &t->cookie, sizeof(t->cookie));
	else if (level == IPPROTO_TCP && option == TCP_INFO)
		return information(t, value);
	return 0;
}

int
__wrap_getsockname(int fd, struct sockaddr *a, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(PORT) };

	if (socket_of(fd) == NULL && fd != LISTENER)
		return fails(EBADF);
	memcpy(a, &in, sizeof(in));
	*len = sizeof(in);
	return 0;
}

int
__wrap_getpeername(int fd, struct sockaddr *a, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(1000) };
	struct tcp *t = socket_of(fd);

	call("getpeername(%d)", fd);
	if (t == NULL || t->reset)
		return fails(ENOTCONN);
	in.sin_addr.s_addr = htonl(0x0a000001 + number(t));
	memcpy(a, &in, sizeof(in));
	*len = sizeof(in);
	return 0;
}

int
__wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *e)
{
	unsigned k = (unsigned)(epfd - WATCH(0)) / 2;
	bool *in = &entry[k][fd].in;

	call("epoll_ctl(%u, %d, %d)", k, op, fd);
	if (fd > MASTER_WAKE && table[fd] == NULL)
		return fails(EBADF);
	if (op == EPOLL_CTL_DEL) {
		if (!*in)
			return fails(ENOENT);
		*in = false;
		return 0;
	}
	if (fd > MASTER_WAKE)
		(void)used(fd, "epoll_ctl");
	if (*in != (op == EPOLL_CTL_MOD))
		return fails(*in ? EEXIST : ENOENT);
	if (fd > MASTER_WAKE && op == EPOLL_CTL_ADD && outcome(2) == 1) {
		table[fd]->broken = true;
		return fails(ENOMEM);
	}
	*in = true;
	entry[k][fd].events = e->events;
	entry[k][fd].data = e->data.u64;
	return 0;
}

/* The events that epoll would report for an entry. */
static uint32_t
events(unsigned k, int fd)
{
	const struct tcp *t = socket_of(fd);
	uint32_t is = 0;

	if (fd >= DESCRIPTORS || !entry[k][fd].in)
		return 0;
	if (fd == LISTENER) {
		if (shut_listener)
			is = EPOLLIN | EPOLLHUP;
		else
			for (unsigned i = 0; i < CLIENTS; i++)
				if (tcp[i].connected && !tcp[i].accepted)
					is = EPOLLIN;
	} else if (fd == WAKE(k))
		is = woken[k] > 0 ? EPOLLIN : 0;
	else if (t != NULL) {
		if (t->arrived > t->taken || t->fin || t->reset)
			is |= EPOLLIN;
		if (!t->full || t->reset)
			is |= EPOLLOUT;
		if (t->reset || (t->fin && t->shut))
			is |= EPOLLHUP | EPOLLERR;
	}
	return is & (entry[k][fd].events | EPOLLHUP | EPOLLERR);
}

bool
kernel_ready(unsigned k)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (events(k, fd) != 0)
			return true;
	return signalled[k];
}

int
__wrap_epoll_pwait(int epfd, struct epoll_event *e, int most, int timeout,
    const sigset_t *mask)
{
	unsigned k = (unsigned)(epfd - WATCH(0)) / 2;
	int n = 0;

	(void)mask;
	call("epoll_pwait(%d)", timeout);
	/* The client has read by the time the worker looks again. */
	for (struct tcp *t = tcp; t < tcp + CLIENTS; t++)
		t->full = false;
	if (timeout != 0 && !kernel_ready(k))
		sleep_until(
		    timeout < 0 ? UINT64_MAX : model_now + (uint64_t)timeout);
	if (signalled[k]) {
		signalled[k] = false;
		return fails(EINTR);
	}
	for (int fd = 0; fd < DESCRIPTORS && n < most; fd++)
		if (events(k, fd) != 0)
			e[n++] = (struct epoll_event){ events(k, fd),
				{ .u64 = entry[k][fd].data } };
	trace("%d events", n);
	return n;
}

int
__wrap_eventfd_write(int fd, eventfd_t n)
{
	(void)n;
	call("eventfd_write(%d)", fd);
	if (fd != MASTER_WAKE)
		kernel_wake((unsigned)(fd - WAKE(0)) / 2);
	return 0;
}

int
__wrap_eventfd_read(int fd, eventfd_t *n)
{
	unsigned k = (unsigned)(fd - WAKE(0)) / 2;

	call("eventfd_read(%d)", fd);
	*n = woken[k];
	woken[k] = 0;
	return 0;
}

int __real_madvise(void *, size_t, int);

int
__wrap_madvise(void *p, size_t n, int advice)
{
	if (running() == NOBODY)
		return __real_madvise(p, n, advice);
	call("madvise");
	memset(p, 0, n);
	return 0;
}
