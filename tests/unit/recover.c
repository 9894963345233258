/*
 * Recovery: for each point at which a worker can die, the state it would leave
 * behind, made by hand on a real connection, and what its successor makes of
 * it.  The client must get every byte back once, whatever happened.
 *
 * The dead worker's slot is 0 unless said otherwise; slot 1 is a living
 * sibling's.  Client and server are one process, so its sockets are all in the
 * one descriptor table, as in the service.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"
#include "handler/handler.h"
#include "master/listen.h"
#include "tap.h"
#include "worker/accept.h"
#include "worker/close.h"
#include "worker/hot.h"
#include "worker/idle.h"
#include "worker/kernel.h"
#include "worker/park.h"
#include "worker/recover.h"
#include "worker/serve.h"
#include "worker/share.h"

#define SLOTS 3
#define DESCRIPTORS 256
#define PATIENCE 3000		/* ms until something must have happened */

/* One connection: both ends and the server's record of it. */
struct pair {
	int client, fd;
	struct connection *c;
};

/* Everything a case needs; made anew for each. */
static struct rig {
	struct config config;
	struct arena arena;
	struct worker w;
	struct sockaddr_in address;
	int listener;
} rig;

static void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
checked(int result, const char *what)
{
	if (result == -1)
		die(what);
	return result;
}

static int
listen_somewhere(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	    "socket");

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	checked(bind(fd, (struct sockaddr *)address, len), "bind");
	checked(listen(fd, 64), "listen");
	checked(getsockname(fd, (struct sockaddr *)address, &len),
	    "getsockname");
	return fd;
}

static void
rig_up(void)
{
	socklen_t len = sizeof(rig.address);
	struct arena *a = &rig.arena;

	memset(&rig, 0, sizeof(rig));
	config_defaults(&rig.config);
	rig.config.port = 0;
	rig.config.bind.count = 1;
	strcpy(rig.config.bind.address[0].host, "127.0.0.1");
	rig.config.handler = HANDLER_ECHO;
	checked(arena_create(a, SLOTS, DESCRIPTORS, DESCRIPTORS), "arena_create");
	atomic_store(&a->header->workers, SLOTS);
	for (unsigned k = 0; k < SLOTS; k++) {
		a->slot[k].wake_fd = checked(eventfd(0, EFD_NONBLOCK),
		    "eventfd");
		a->slot[k].park_fd = checked(epoll_create1(0),
		    "epoll_create1");
	}
	checked(listen_open(a, &rig.config), "listen_open");
	rig.listener = a->header->listener[0].fd;
	checked(getsockname(rig.listener, (struct sockaddr *)&rig.address,
	    &len), "getsockname");
}

static void
rig_down(void)
{
	free(rig.w.poll);
	free(rig.w.quiet);
	arena_destroy(&rig.arena);
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		(void)close(fd);
}

/* A worker process of slot `k`, before it has looked at anything. */
static void
worker_up(unsigned k)
{
	struct worker *w = &rig.w;

	free(w->poll);
	free(w->quiet);
	*w = (struct worker){ .config = &rig.config, .arena = &rig.arena,
		.slot = &rig.arena.slot[k], .number = k,
		.scratch = arena_scratch(&rig.arena, k),
		.accept_at = CLOCK_NEVER, .title_at = CLOCK_NEVER };
	checked(hot_init(w), "hot_init");
	share_init(w);
	idle_init(w);
}

/* Slot 0's next worker. */
static struct recovered
succeed(void)
{
	worker_up(0);
	return recover(&rig.w, 0);
}

static struct slot *
slot(unsigned k)
{
	return &rig.arena.slot[k];
}

static void
await(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (poll(&p, 1, PATIENCE) != 1)
		die("await");
}

static int
connect_to(const struct sockaddr_in *address, int receive_buffer)
{
	int fd = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");

	if (receive_buffer != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
		    sizeof(receive_buffer));
	checked(connect(fd, (const struct sockaddr *)address,
	    sizeof(*address)), "connect");
	return fd;
}

/* A client that was accepted and is in no record. */
static struct pair
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

static void
set_holder(const struct pair *p, enum connection_state state, unsigned k)
{
	atomic_store(&p->c->holder, connection_holder(state, k));
}

static bool
is_held(const struct pair *p, enum connection_state state, unsigned k)
{
	return connection_held_by(p->c) == connection_holder(state, k);
}

static void
note_end(int fd)
{
	struct arena_header *h = rig.arena.header;

	if (h->descriptor_end <= (uint32_t)fd)
		h->descriptor_end = (uint32_t)fd + 1;
}

/* Enter an accepted socket as slot k's, at rest. */
static void
enter(const struct pair *p, unsigned k)
{
	memset(p->c, 0, sizeof(*p->c));
	p->c->cookie = kernel_cookie(p->fd);
	p->c->opened = clock_ms();
	p->c->handler = (uint8_t)rig.config.handler;
	p->c->hot = 7;		/* a dead worker's: means nothing any more */
	note_end(p->fd);
	set_holder(p, CONN_OPEN, k);
	slot(k)->held++;
}

static struct pair
opened(void)
{
	struct pair p = accepted(0);

	enter(&p, 0);
	return p;
}

static void
name(enum operation_kind kind, int fd, uint64_t base)
{
	struct operation *op = &slot(0)->op;

	op->fd = fd;
	op->base = base;
	atomic_store(&op->kind, kind);
}

static void
say_bytes(const struct pair *p, const char *bytes, size_t n)
{
	if (send(p->client, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
	await(p->fd, POLLIN);
}

static void
say(const struct pair *p, const char *text)
{
	say_bytes(p, text, strlen(text));
}

/* Take `n` bytes as a worker would that then dies; the record is not told. */
static void
take(const struct pair *p, char *to, size_t n)
{
	await(p->fd, POLLIN);
	if (recv(p->fd, to, n, MSG_DONTWAIT) != (ssize_t)n)
		die("recv");
}

/* Give bytes back likewise; returns how many the socket took. */
static size_t
give_back(const struct pair *p, const char *from, size_t n)
{
	ssize_t sent = send(p->fd, from, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent <= 0)
		die("send");
	return (size_t)sent;
}

/* One round of the worker's loop. */
static void
turn(int ms)
{
	struct worker *w = &rig.w;
	eventfd_t ignored;

	if (poll(w->poll, w->polled, ms) <= 0)
		return;
	for (unsigned i = w->polled; i-- > w->first_hot; )
		if (w->poll[i].revents != 0)
			serve(w, w->poll[i].fd, w->poll[i].revents);
	if (w->poll[POLL_WAKE].revents != 0) {
		(void)eventfd_read(w->slot->wake_fd, &ignored);
		share_adopt(w);
	}
	if (w->poll[POLL_LOT].revents != 0)
		park_wake(w);
}

/* What the client has received; up to `n` bytes, the rest comes later. */
static size_t
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

/* The client is sent nothing more. */
static bool
silent(const struct pair *p)
{
	char c;

	for (int i = 0; i < 3; i++)
		turn(1);
	return recv(p->client, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

/* Exactly these bytes come, none twice. */
static bool
hears_bytes(const struct pair *p, const char *bytes, size_t n)
{
	char *got = malloc(n + 1);
	bool good = got != NULL && hear(p, got, n) == n &&
	    memcmp(got, bytes, n) == 0 && silent(p);

	free(got);
	return good;
}

static bool
hears(const struct pair *p, const char *text)
{
	return hears_bytes(p, text, strlen(text));
}

/* The client sees the end of the stream (a reset is none). */
static bool
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

/* A line there and back: the connection lives. */
static bool
echoes(const struct pair *p)
{
	say(p, "Are you there?\n");
	return hears(p, "Are you there?\n");
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static bool
is_hot(const struct pair *p)
{
	const struct worker *w = &rig.w;
	unsigned i = p->c->hot;

	return i >= w->first_hot && i < w->polled && w->poll[i].fd == p->fd;
}

/* In the parking lot of slot k: taking it out succeeds. */
static bool
take_out(const struct pair *p, unsigned k)
{
	return epoll_ctl(slot(k)->park_fd, EPOLL_CTL_DEL, p->fd, NULL) == 0;
}

static bool
at_positions(const struct pair *p, uint64_t rx, uint64_t tx, uint64_t dropped,
    uint64_t ready)
{
	const struct connection *c = p->c;
	bool good = c->rx == rx && c->tx == tx && c->dropped == dropped &&
	    c->ready == ready;

	if (!good)
		printf("# rx %llu tx %llu dropped %llu ready %llu\n",
		    (unsigned long long)c->rx, (unsigned long long)c->tx,
		    (unsigned long long)c->dropped,
		    (unsigned long long)c->ready);
	return good;
}

/* The pending bytes are in the window, and these. */
static bool
window_holds(const struct pair *p, const char *text)
{
	size_t n = strlen(text);

	return (p->c->flags & CONN_SPILLED) != 0 &&
	    connection_pending(p->c) == n &&
	    memcmp(arena_window(&rig.arena, p->fd) + (connection_cursor(p->c) -
	    p->c->window_base), text, n) == 0;
}

static uint64_t
closed(unsigned k, enum close_reason reason)
{
	return atomic_load(&slot(k)->count.closed[reason]);
}

static bool
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

/* The dead worker had echoed this before. */
static void
history(const struct pair *p, const char *text)
{
	size_t n = strlen(text);
	char got[64];

	say(p, text);
	take(p, arena_scratch(&rig.arena, 0), n);
	if (give_back(p, text, n) != n ||
	    recv(p->client, got, n, MSG_WAITALL) != (ssize_t)n)
		die("history");
	p->c->rx = p->c->tx = p->c->ready = n;
}

/* The same `n` bytes long. */
static void
long_history(const struct pair *p, size_t n)
{
	static char bytes[8192];

	for (size_t part; n > 0; n -= part) {
		part = n < sizeof(bytes) ? n : sizeof(bytes);
		say_bytes(p, bytes, part);
		take(p, bytes, part);
		if (give_back(p, bytes, part) != part ||
		    recv(p->client, bytes, part, MSG_WAITALL) !=
		    (ssize_t)part)
			die("long_history");
		p->c->rx = p->c->tx = p->c->ready += part;
	}
}

/* The client's half line, held in the window at an offset. */
static void
hold(const struct pair *p, const char *text, uint64_t offset)
{
	size_t n = strlen(text);

	p->c->window_base = connection_cursor(p->c) - offset;
	say(p, text);
	take(p, arena_window(&rig.arena, p->fd) + offset, n);
	p->c->rx += n;
	p->c->flags |= CONN_SPILLED | CONN_TOUCHED;
}

static char *
window_end(const struct pair *p)
{
	return arena_window(&rig.arena, p->fd) + (p->c->rx -
	    p->c->window_base);
}

static void
test_receive_scratch(void)
{
	char *scratch;
	struct pair p;

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "hello\n");
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && at_positions(&p, 7, 7, 0, 7) &&
	    is_hot(&p), "before recv: nothing has happened");
	ok(hears(&p, "hello\n") && at_positions(&p, 13, 13, 0, 13),
	    "before recv: the line is echoed");
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	scratch = arena_scratch(&rig.arena, 0);
	say(&p, "hel");
	take(&p, scratch, 3);
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && at_positions(&p, 10, 7, 0, 7) &&
	    window_holds(&p, "hel") && is_hot(&p),
	    "after recv, half a line: it is in the window");
	memset(scratch, 'X', SCRATCH_BYTES);
	say(&p, "lo\n");
	ok(hears(&p, "hello\n") && echoes(&p),
	    "after recv, half a line: the whole is echoed");
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "one\ntwo\nthr");
	take(&p, arena_scratch(&rig.arena, 0), 6);
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && p.c->rx == 13 &&
	    window_holds(&p, "tw") && hears(&p, "one\ntwo\n"),
	    "after recv, with unread bytes beside: both lines are echoed");
	say(&p, "ee\n");
	ok(hears(&p, "three\n"), "and the third when it is whole");
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "hello\n");
	take(&p, arena_scratch(&rig.arena, 0), 6);
	p.c->rx = 13;
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && hears(&p, "hello\n") &&
	    at_positions(&p, 13, 13, 0, 13) &&
	    (p.c->flags & CONN_SPILLED) == 0,
	    "rx stored, before the handler: it is called, the line echoed");
	rig_down();
}

static void
test_receive_window(void)
{
	struct pair p;

	rig_up();
	p = opened();
	long_history(&p, 100);
	hold(&p, "half ", 100);
	say(&p, "a li");
	take(&p, window_end(&p), 4);
	name(OP_SERVE, p.fd, 0);
	memset(arena_scratch(&rig.arena, 0), 'X', SCRATCH_BYTES);
	ok(settled(1, 0, succeed()) && at_positions(&p, 109, 100, 0, 100)
	    && window_holds(&p, "half a li"),
	    "after recv into the window: rx follows");
	say(&p, "ne\n");
	ok(hears(&p, "half a line\n"), "and the line is echoed when whole");
	rig_down();

	rig_up();
	p = opened();
	hold(&p, "half ", 0);
	say(&p, "a line\n");
	take(&p, window_end(&p), 7);
	p.c->rx += 7;
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && hears(&p, "half a line\n") &&
	    at_positions(&p, 12, 12, 0, 12) &&
	    (p.c->flags & CONN_SPILLED) == 0,
	    "window, rx stored, before the handler: the line is echoed");
	rig_down();

	rig_up();
	p = opened();
	hold(&p, "half ", 0);
	say(&p, "a line\nrest");
	take(&p, window_end(&p), 7);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && hears(&p, "half a line\n") &&
	    window_holds(&p, "rest"), "window, with unread bytes beside");
	rig_down();
}

static void
half_close(const struct pair *p)
{
	struct pollfd hup = { p->fd, POLLRDHUP, 0 };

	checked(shutdown(p->client, SHUT_WR), "shutdown");
	if (poll(&hup, 1, PATIENCE) != 1)
		die("half_close");
}

/* The client has sent "last" without a newline and its FIN; the dead worker
 * had read `taken` of it and, if `fin`, the FIN. */
static void
end_is_told(size_t taken, bool fin, const char *what)
{
	struct pair p;
	char got[8], c;
	bool end;

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "last");
	half_close(&p);
	if (taken > 0)
		take(&p, arena_scratch(&rig.arena, 0), taken);
	if (fin && recv(p.fd, &c, 1, MSG_DONTWAIT) != 0)
		die("recv");
	if (fin) {
		p.c->rx += taken;
		memcpy(arena_window(&rig.arena, p.fd), "last", 4);
		p.c->window_base = 7;
		p.c->flags |= CONN_SPILLED | CONN_TOUCHED;
	}
	name(OP_SERVE, p.fd, fin ? 0 : 7);
	ok(settled(1, 0, succeed()) && p.c->rx == 7 + taken,
	    "%s: the FIN is no byte", what);
	ok(hear(&p, got, 4) == 4 && memcmp(got, "last", 4) == 0,
	    "%s: the bytes come", what);
	end = hears_end(&p);
	ok(end && closed(0, CLOSE_EOF) == 1 && slot(0)->held == 0 &&
	    is_held(&p, CONN_FREE, 0), "%s: then the end", what);
	rig_down();
}

static void
test_urgent(void)
{
	uint64_t rx = 0, tx = 0;
	struct pair p;
	char got[16];

	rig_up();
	p = opened();
	checked((int)send(p.client, "!", 1, MSG_OOB), "send");
	say(&p, "hello\n");
	worker_up(0);
	(void)hot_add(&rig.w, p.fd);
	for (int i = 0; i < 5; i++)
		turn(2);
	/* Echoed or passed over, as the listener has it (SO_OOBINLINE). */
	ok(recv(p.client, got, sizeof(got), MSG_DONTWAIT) >= 6 &&
	    kernel_positions(p.fd, &rx, &tx) && rx == p.c->rx &&
	    tx == p.c->tx, "urgent data is counted as the kernel counts it");
	name(OP_SERVE, p.fd, p.c->rx);
	(void)succeed();
	ok(silent(&p) && connection_pending(p.c) == 0,
	    "and does not look like bytes read and lost");
	rig_down();
}

static void
test_handler(void)
{
	struct pair p;

	rig_up();
	p = opened();
	say(&p, "hello\nwor");
	take(&p, arena_scratch(&rig.arena, 0), 9);
	p.c->rx = 9;
	p.c->ready = 6;
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && at_positions(&p, 9, 6, 0, 6) &&
	    window_holds(&p, "wor") && hears(&p, "hello\n"),
	    "released and not sent: it is sent");
	rig_down();

	rig_up();
	rig.config.handler = HANDLER_DISCARD;
	p = opened();
	say(&p, "rubbish");
	take(&p, arena_scratch(&rig.arena, 0), 7);
	p.c->rx = 7;
	p.c->dropped = 7;
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && at_positions(&p, 7, 0, 7, 7) &&
	    silent(&p), "drop half done: what was dropped is not sent");
	say(&p, "more");
	ok(silent(&p) && at_positions(&p, 11, 0, 11, 11),
	    "drop half done: and so it goes on");
	rig_down();

	rig_up();
	rig.config.handler = HANDLER_DISCARD;
	p = opened();
	say(&p, "rubbish");
	take(&p, arena_scratch(&rig.arena, 0), 7);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && at_positions(&p, 7, 0, 7, 7) &&
	    silent(&p), "before the drop: it is dropped");
	rig_down();
}

static char *
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

enum sent { SENT_UNSTORED, SENT_STORED, SPILLED_NO_FLAG };

/* A client that does not read: the dead worker's send took a part only. */
static void
short_send(enum sent point, const char *what)
{
	enum { N = 60000 };
	char *scratch, *bytes = pattern(N);
	int small = 4096;
	struct pair p;
	size_t n;

	rig_up();
	p = accepted(2048);
	enter(&p, 0);
	checked(setsockopt(p.fd, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small)), "setsockopt");
	scratch = arena_scratch(&rig.arena, 0);
	say_bytes(&p, bytes, N);
	for (n = 0; n < N; ) {
		ssize_t r = recv(p.fd, scratch + n, N - n, MSG_DONTWAIT);

		if (r > 0)
			n += (size_t)r;
		else
			await(p.fd, POLLIN);
	}
	p.c->rx = p.c->ready = N;
	name(OP_SERVE, p.fd, 0);
	n = give_back(&p, scratch, N);
	if (point >= SENT_STORED)
		p.c->tx = n;
	if (point == SPILLED_NO_FLAG) {
		memcpy(arena_window(&rig.arena, p.fd), scratch + n, N - n);
		p.c->window_base = n;
	}
	ok(n < N && settled(1, 0, succeed()) && p.c->tx >= n &&
	    p.c->tx < N && (p.c->flags & CONN_SPILLED) != 0 &&
	    rig.w.poll[p.c->hot].events == POLLOUT,
	    "%s: the rest is in the window", what);
	memset(scratch, 'X', SCRATCH_BYTES);
	ok(hears_bytes(&p, bytes, N) && at_positions(&p, N, N, 0, N) &&
	    (p.c->flags & CONN_SPILLED) == 0 && echoes(&p),
	    "%s: all comes, once", what);
	free(bytes);
	rig_down();
}

static void
test_send(void)
{
	struct pair p;
	char *window;

	rig_up();
	p = opened();
	say(&p, "hello\nwor");
	take(&p, arena_scratch(&rig.arena, 0), 9);
	p.c->rx = 9;
	p.c->ready = 6;
	name(OP_SERVE, p.fd, 0);
	(void)give_back(&p, "hello\n", 6);
	ok(settled(1, 0, succeed()) && at_positions(&p, 9, 6, 0, 6) &&
	    window_holds(&p, "wor") && hears(&p, "hello\n"),
	    "sent, tx not stored: not sent twice");
	say(&p, "ld\n");
	ok(hears(&p, "world\n"), "sent, tx not stored: goes on");
	rig_down();

	short_send(SENT_UNSTORED, "short send, tx not stored");
	short_send(SENT_STORED, "short send, tx stored, not spilled");
	short_send(SPILLED_NO_FLAG, "short send, spilled but for the flag");

	rig_up();
	p = opened();
	long_history(&p, SPILL_LINE + 1);
	hold(&p, "half", SPILL_LINE + 1);
	window = arena_window(&rig.arena, p.fd);
	memcpy(window, "half", 4);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && window_holds(&p, "half"),
	    "make_room, base not stored: the bytes are where they were");
	say(&p, " a line\n");
	ok(hears(&p, "half a line\n"), "make_room, base not stored: echoed");
	rig_down();

	for (int flag = 0; flag < 2; flag++) {
		rig_up();
		p = opened();
		hold(&p, "line\n", 0);
		(void)give_back(&p, "line\n", 5);
		p.c->ready = p.c->tx = 5;
		if (flag == 0)
			p.c->flags &= (uint8_t)~CONN_SPILLED;
		name(OP_SERVE, p.fd, 0);
		ok(settled(1, 0, succeed()) && hears(&p, "line\n") &&
		    (p.c->flags & CONN_SPILLED) == 0 && echoes(&p),
		    "nothing pending, SPILLED %s", flag ? "set" : "cleared");
		rig_down();
	}
}

static void
test_finish(void)
{
	struct pair p;

	for (int done = 0; done < 2; done++) {
		rig_up();
		p = opened();
		history(&p, "before\n");
		p.c->limit = 7;
		p.c->phase = PHASE_FINISHING;
		if (done)
			checked(shutdown(p.fd, SHUT_WR), "shutdown");
		ok(settled(1, 0, succeed()) && p.c->phase == PHASE_LINGERING &&
		    p.c->quiet_since != 0 && hears_end(&p),
		    "finishing, shutdown %s: lingers", done ? "done" :
		    "not done");
		checked(shutdown(p.client, SHUT_WR), "shutdown");
		for (int i = 0; i < 20 && slot(0)->held > 0; i++)
			turn(20);
		ok(closed(0, CLOSE_DRAINED) == 1 && !is_open(p.fd),
		    "finishing: and ends");
		rig_down();
	}

	rig_up();
	p = opened();
	say(&p, "first\nsecond");
	p.c->limit = 12;
	p.c->phase = PHASE_FINISHING;
	take(&p, arena_scratch(&rig.arena, 0), 6);
	name(OP_SERVE, p.fd, 0);
	ok(settled(1, 0, succeed()) && p.c->rx == 6 &&
	    p.c->phase == PHASE_FINISHING, "finishing, read in part");
	{
		char got[12];

		ok(hear(&p, got, 12) == 12 && memcmp(got, "first\nsecond",
		    12) == 0 && hears_end(&p),
		    "finishing: up to the limit is echoed, then the FIN");
	}
	rig_down();

	rig_up();
	p = opened();
	history(&p, "before\n");
	p.c->phase = PHASE_LINGERING;
	p.c->quiet_since = clock_ms();
	checked(shutdown(p.fd, SHUT_WR), "shutdown");
	say(&p, "too late\n");
	take(&p, arena_scratch(&rig.arena, 0), 5);
	p.c->rx += 5;
	name(OP_SERVE, p.fd, 7);
	ok(settled(1, 0, succeed()) && at_positions(&p, 12, 7, 5, 12) &&
	    p.c->phase == PHASE_LINGERING && hears_end(&p),
	    "lingering, read and not dropped: nothing pending");
	checked(shutdown(p.client, SHUT_WR), "shutdown");
	for (int i = 0; i < 20 && slot(0)->held > 0; i++)
		turn(20);
	ok(closed(0, CLOSE_DRAINED) == 1, "lingering: ends");
	rig_down();
}

static void
test_accept(void)
{
	uint32_t before;
	struct pair p;

	rig_up();
	p = accepted(0);
	name(OP_ACCEPT, 0, 0);
	rig.arena.header->admission = 1;
	slot(0)->held = 1;
	ok(settled(1, 0, succeed()) && is_held(&p, CONN_OPEN, 0) &&
	    is_hot(&p) && p.c->cookie == kernel_cookie(p.fd) &&
	    p.c->peer.family == AF_INET && echoes(&p),
	    "orphan: becomes a connection");
	ok(rig.arena.header->admission == 0, "and the admission is released");
	rig_down();

	rig_up();
	p = accepted(0);
	memset(p.c, 0x5a, sizeof(*p.c));
	note_end(p.fd);
	set_holder(&p, CONN_TAKING, 0);
	name(OP_ACCEPT, 0, 0);
	ok(settled(1, 0, succeed()) && is_held(&p, CONN_OPEN, 0) &&
	    at_positions(&p, 0, 0, 0, 0) && echoes(&p),
	    "TAKING, half filled in: becomes a connection");
	rig_down();

	rig_up();
	p = opened();
	p.c->giver = 0;
	set_holder(&p, CONN_GIVEN, 1);
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_GIVEN, 1) &&
	    (arena_inbox(&rig.arena, 1)[p.fd / 64] >> (p.fd % 64) & 1) == 1 &&
	    poll(&(struct pollfd){ slot(1)->wake_fd, POLLIN, 0 }, 1, 0) == 1,
	    "GIVEN without notice: it is notified");
	worker_up(1);
	share_adopt(&rig.w);
	ok(is_held(&p, CONN_OPEN, 1) && is_hot(&p) && echoes(&p),
	    "and takes it");
	rig_down();

	rig_up();
	p = accepted(0);
	enter(&p, 1);
	before = p.c->hot;
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_OPEN, 1) &&
	    p.c->hot == before && slot(1)->held == 1 && is_open(p.fd),
	    "an orphan that a living worker has claimed is left alone");
	rig_down();

	rig_up();
	p = opened();
	set_holder(&p, CONN_GIVEN, 1);
	p.c->giver = 2;
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_GIVEN, 1) &&
	    p.c->giver == 2 && arena_inbox(&rig.arena, 1)[p.fd / 64] == 0,
	    "others' gifts are left alone");
	rig_down();
}

static void
test_strangers(void)
{
	struct sockaddr_in elsewhere;
	int file, listener, client, server;

	rig_up();
	file = checked(open("/dev/null", O_RDWR), "open");
	listener = listen_somewhere(&elsewhere);
	client = connect_to(&elsewhere, 0);
	await(listener, POLLIN);
	server = checked(accept4(listener, NULL, NULL, 0), "accept4");
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_open(file) && is_open(listener) &&
	    is_open(client) && is_open(server) && is_open(rig.listener) &&
	    arena_next(&rig.arena, 0, 0) == -1 &&
	    rig.w.polled == rig.w.first_hot,
	    "files, listeners and others' connections are no orphans");
	rig_down();
}

/* The number of p.fd belongs to another client's socket now. */
static struct pair
reused(const struct pair *p)
{
	struct pair q = accepted(0);

	checked(dup2(q.fd, p->fd), "dup2");
	close(q.fd);
	q.fd = p->fd;
	q.c = p->c;
	return q;
}

static void
test_close(void)
{
	struct pair p, q;

	rig_up();
	p = opened();
	set_holder(&p, CONN_CLOSING, 0);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_FREE, 0) &&
	    !is_open(p.fd) && hears_end(&p), "CLOSING, open: is closed");
	rig_down();

	rig_up();
	p = opened();
	set_holder(&p, CONN_CLOSING, 0);
	close(p.fd);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_FREE, 0),
	    "CLOSING, closed: is free");
	rig_down();

	rig_up();
	p = opened();
	set_holder(&p, CONN_CLOSING, 0);
	q = reused(&p);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_FREE, 0) &&
	    is_open(q.fd), "CLOSING, number reused, in no record: left open");
	rig_down();

	rig_up();
	p = opened();
	set_holder(&p, CONN_CLOSING, 0);
	q = reused(&p);
	name(OP_ACCEPT, 0, 0);
	ok(settled(1, 0, succeed()) && is_held(&q, CONN_OPEN, 0) &&
	    echoes(&q), "CLOSING, number reused by an orphan: adopted");
	rig_down();

	rig_up();
	p = opened();
	q = reused(&p);
	enter(&q, 1);
	name(OP_SERVE, p.fd, 0);
	ok(settled(0, 0, succeed()) && is_held(&q, CONN_OPEN, 1) &&
	    is_open(q.fd), "number reused and another's: left alone");
	rig_down();

	rig_up();
	p = opened();
	set_holder(&p, CONN_CLOSING, 1);
	name(OP_ACCEPT, 0, 0);
	ok(settled(0, 0, succeed()) && is_held(&p, CONN_CLOSING, 1) &&
	    is_open(p.fd), "another's CLOSING is left alone");
	rig_down();
}

static void
test_park(void)
{
	struct epoll_event ev;
	struct pair p;

	rig_up();
	p = opened();
	worker_up(0);
	p.c->hot = CONNECTION_NOT_HOT;
	(void)park_enroll(&rig.w, p.fd);
	ok(settled(1, 0, succeed()) && !is_hot(&p) &&
	    p.c->flags == (CONN_PARKED | CONN_ENROLLED) && echoes(&p) &&
	    is_hot(&p), "parked and enrolled: stays in the lot, and wakes");
	rig_down();

	rig_up();
	p = opened();
	p.c->flags = CONN_PARKED;
	ok(settled(1, 0, succeed()) && is_hot(&p) &&
	    (p.c->flags & CONN_PARKED) == 0 && echoes(&p),
	    "parked and not enrolled: becomes hot");
	rig_down();

	rig_up();
	p = opened();
	worker_up(0);
	p.c->hot = CONNECTION_NOT_HOT;
	(void)park_enroll(&rig.w, p.fd);
	say(&p, "wake up\n");
	if (epoll_wait(slot(0)->park_fd, &ev, 1, PATIENCE) != 1)
		die("epoll_wait");
	name(OP_WAKE, 0, 0);
	ok(settled(1, 0, succeed()) && is_hot(&p) && hears(&p, "wake up\n"),
	    "its event was taken: it is served");
	park(&rig.w, p.fd);
	ok(!is_hot(&p) && echoes(&p), "and can be parked again");
	rig_down();

	rig_up();
	p = opened();
	p.c->flags = CONN_ENROLLED;
	ok(settled(1, 0, succeed()) && is_hot(&p), "enrolled flag, no entry");
	park(&rig.w, p.fd);
	ok(!is_hot(&p) && echoes(&p), "enrolled flag, no entry: parks, wakes");
	rig_down();

	rig_up();
	p = opened();
	worker_up(0);
	p.c->hot = CONNECTION_NOT_HOT;
	(void)park_enroll(&rig.w, p.fd);
	p.c->flags = 0;
	ok(settled(1, 0, succeed()) && is_hot(&p), "entry, no flags: hot");
	park(&rig.w, p.fd);
	ok(!is_hot(&p) && echoes(&p), "entry, no flags: parks, wakes");
	rig_down();
}

static void
test_give(void)
{
	struct pair p;

	rig_up();
	p = opened();
	p.c->giver = 1;
	p.c->flags = CONN_PARKED;
	set_holder(&p, CONN_GIVEN, 0);
	slot(0)->inflight = 1;
	ok(settled(1, 0, succeed()) && is_held(&p, CONN_OPEN, 0) &&
	    is_hot(&p) && slot(0)->inflight == 0 && echoes(&p),
	    "given to the dead slot without notice: taken");
	rig_down();

	rig_up();
	p = opened();
	p.c->giver = 1;
	set_holder(&p, CONN_GIVEN, 0);
	arena_inbox(&rig.arena, 0)[p.fd / 64] = UINT64_C(1) << (p.fd % 64);
	ok(settled(1, 0, succeed()), "given with notice: taken");
	share_adopt(&rig.w);
	ok(slot(0)->held == 1 && rig.w.polled == rig.w.first_hot + 1 &&
	    echoes(&p), "given with notice: once");
	rig_down();

	rig_up();
	p = opened();
	p.c->giver = 0;
	set_holder(&p, CONN_GIVEN, 1);
	name(OP_GIVE, 0, 0);
	ok(settled(0, 0, succeed()) && rig.w.offers_at == 0,
	    "given by the dead slot: looked after at once");
	share_reclaim(&rig.w);
	ok(is_held(&p, CONN_OPEN, 0) && slot(0)->held == 1 && echoes(&p),
	    "and taken back if nobody comes for it");
	rig_down();
}

static void
test_fault(void)
{
	static const int faults[] = { SIGSEGV, FAULT_HUNG };
	struct pair p, q;

	for (size_t i = 0; i < 2; i++) {
		rig_up();
		p = opened();
		q = opened();
		name(OP_SERVE, p.fd, 0);
		slot(0)->fault = faults[i];
		ok(settled(1, 1, succeed()) && closed(0, CLOSE_FAULT) == 1 &&
		    is_held(&p, CONN_FREE, 0) && !is_open(p.fd) &&
		    hears_end(&p) && echoes(&q),
		    "fault %d: that one is closed, the other lives",
		    faults[i]);
		rig_down();
	}

	rig_up();
	p = opened();
	q = opened();
	slot(0)->op.fd = p.fd;
	slot(0)->fault = SIGSEGV;
	ok(settled(2, 0, succeed()) && closed(0, CLOSE_FAULT) == 0 &&
	    echoes(&p) && echoes(&q), "fault while nothing is named: none");
	rig_down();
}

static void
test_again(void)
{
	struct connection record;
	struct operation op;
	struct pair p;

	rig_up();
	p = opened();
	history(&p, "before\n");
	say(&p, "half");
	take(&p, arena_scratch(&rig.arena, 0), 4);
	name(OP_SERVE, p.fd, 7);
	record = *p.c;
	op = slot(0)->op;
	ok(settled(1, 0, succeed()) && window_holds(&p, "half"),
	    "recovered once");
	slot(0)->op = op;
	ok(settled(1, 0, succeed()) && window_holds(&p, "half") &&
	    at_positions(&p, 11, 7, 0, 7), "killed before the operation was "
	    "cleared: the same again");
	*p.c = record;
	slot(0)->op = op;
	ok(settled(1, 0, succeed()) && window_holds(&p, "half") &&
	    at_positions(&p, 11, 7, 0, 7), "killed at its start: the same");
	say(&p, " line\n");
	ok(hears(&p, "half line\n"), "and the line comes once");
	rig_down();

	/* Settled, the operation cleared, and killed before it was resumed:
	 * a whole line that the handler has never seen. */
	rig_up();
	p = opened();
	hold(&p, "a line\n", 0);
	ok(settled(1, 0, succeed()) && hears(&p, "a line\n"),
	    "killed between the operation's end and resuming: it is ruled on");
	rig_down();
}

static void
test_foster(void)
{
	struct pair p, q;

	rig_up();
	p = opened();
	q = opened();
	worker_up(0);
	q.c->hot = CONNECTION_NOT_HOT;
	(void)park_enroll(&rig.w, q.fd);
	say(&p, "half");
	take(&p, arena_scratch(&rig.arena, 0), 4);
	name(OP_SERVE, p.fd, 0);
	worker_up(1);
	ok(settled(2, 0, recover(&rig.w, 0)) && is_held(&p, CONN_OPEN, 1) &&
	    is_held(&q, CONN_OPEN, 1) && slot(0)->held == 0 &&
	    slot(0)->hot == 0 && slot(1)->hot == 2,
	    "foster: all change hands");
	ok(!take_out(&q, 0) && q.c->flags == 0 && is_hot(&p) && is_hot(&q),
	    "foster: out of the other lot, hot here");
	ok(window_holds(&p, "half"), "foster: the other's scratch is saved");
	say(&p, " a line\n");
	ok(hears(&p, "half a line\n") && echoes(&q), "foster: both go on");
	ok(settled(2, 0, (worker_up(1), recover(&rig.w, 1))) && echoes(&p) &&
	    echoes(&q), "and are inherited in their turn");
	rig_down();
}

static void
test_insane(void)
{
	struct pair p, q;

	for (int i = 0; i < 4; i++) {
		rig_up();
		p = opened();
		q = opened();
		if (i < 2)
			p.c->ready = 5;
		else
			p.c->dropped = UINT64_MAX - 3;
		if (i % 2 == 0)
			name(OP_SERVE, p.fd, 0);
		ok(settled(1, 1, succeed()) && is_held(&p, CONN_FREE, 0) &&
		    !is_open(p.fd) && echoes(&q),
		    "an insane record is closed (%d)", i);
		rig_down();
	}
	rig_up();
	p = opened();
	name(OP_SERVE, DESCRIPTORS + 5, 0);
	ok(settled(1, 0, succeed()) && echoes(&p), "no such descriptor");
	name(OP_SERVE, -7, 0);
	ok(settled(1, 0, succeed()) && echoes(&p), "a negative descriptor");
	rig_down();
}

/*
 * The same without guessing what is left behind: a real worker process is
 * stepped through a round of its loop and killed after every so many
 * instructions, between any two of which SIGKILL may come.
 */

/* Steps over all kills of a case: bounds its time.  The environment may set
 * RECOVER_STEPS; 1000000 is every instruction, and minutes. */
#define STEPS 10000
#define STEPS_CLOSE (4 * STEPS)	/* the dangerous part is short */

enum act { ACT_SERVE, ACT_RECOVER, ACT_CLOSE };

struct journey {
	const char *what;
	enum act act;
	unsigned handler;
	const char *held;	/* in the window already */
	const char *said;	/* what the round finds in the socket */
	const char *more;	/* said after the death */
	const char *reply;	/* what must come back, all in all */
	bool stop;		/* FINISHING up to what was said */
};

static const struct journey journeys[] = {
	{ "a line", ACT_SERVE, HANDLER_ECHO, "", "hello\n", "again\n",
	    "hello\nagain\n", false },
	{ "half a line", ACT_SERVE, HANDLER_ECHO, "", "one\ntw", "o\n",
	    "one\ntwo\n", false },
	{ "the other half", ACT_SERVE, HANDLER_ECHO, "on", "e\ntw", "o\n",
	    "one\ntwo\n", false },
	{ "raw", ACT_SERVE, HANDLER_RAW, "", "raw", "data", "rawdata", false },
	{ "discard", ACT_SERVE, HANDLER_DISCARD, "", "rubbish", "more",
	    "", false },
	{ "the last words", ACT_SERVE, HANDLER_ECHO, "la", "st", "",
	    "last", true },
	{ "recovery of a line", ACT_RECOVER, HANDLER_ECHO, "", "hello\n", "",
	    "hello\n", false },
	{ "recovery of half a line", ACT_RECOVER, HANDLER_ECHO, "", "o\ntw",
	    "o\n", "o\ntwo\n", false },
	{ "closing over half a line", ACT_CLOSE, HANDLER_ECHO, "on", "", "e\n",
	    "one\n", false },
};

/* The child: slot 0's worker. */
static void
live(const struct pair *p, enum act act)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		_exit(1);
	(void)raise(SIGTRAP);
	if (act == ACT_SERVE)
		serve(&rig.w, p->fd, POLLIN);
	else if (act == ACT_RECOVER)
		(void)recover(&rig.w, 0);
	else
		close_connection(&rig.w, p->fd, CLOSE_IDLE, 0);
	_exit(0);
}

/* Let a worker live for `steps` instructions at most; returns how many it
 * lived for, -1 if it cannot be traced. */
static long
kill_after(const struct pair *p, enum act act, long steps)
{
	long n = 0;
	int status;
	/* Shares the descriptor table, as a worker does. */
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL,
	    NULL, NULL, NULL);

	if (pid == 0)
		live(p, act);
	checked(pid, "clone");
	checked(waitpid(pid, &status, 0), "waitpid");
	if (!WIFSTOPPED(status))
		return -1;
	while (n < steps && ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0) {
		checked(waitpid(pid, &status, 0), "waitpid");
		if (!WIFSTOPPED(status))
			return n;
		n++;
	}
	(void)kill(pid, SIGKILL);
	checked(waitpid(pid, &status, 0), "waitpid");
	return n;
}

/* The state that a journey begins with. */
static struct pair
depart(const struct journey *j)
{
	struct pair p;

	rig_up();
	rig.config.handler = j->handler;
	p = opened();
	if (*j->held != '\0')
		hold(&p, j->held, 0);
	if (*j->said != '\0')
		say(&p, j->said);
	if (j->stop) {
		p.c->limit = p.c->rx + strlen(j->said);
		p.c->phase = PHASE_FINISHING;
	}
	worker_up(0);
	if (j->act == ACT_RECOVER) {
		take(&p, arena_scratch(&rig.arena, 0), strlen(j->said));
		name(OP_SERVE, p.fd, 0);
	} else
		(void)hot_add(&rig.w, p.fd);
	return p;
}

/* After recovery: true if the client gets what it must. */
static bool
arrive(const struct journey *j, const struct pair *p)
{
	size_t n = strlen(j->reply);
	char got[32];

	if (j->act == ACT_CLOSE && slot(0)->held == 0)
		return hears_end(p) && !is_open(p->fd);
	if (*j->more != '\0')
		(void)!send(p->client, j->more, strlen(j->more), MSG_NOSIGNAL);
	if (j->stop)
		return hear(p, got, n) == n && memcmp(got, j->reply, n) == 0 &&
		    hears_end(p);
	return hears(p, j->reply) && slot(0)->held == 1 &&
	    p->c->rx == strlen(j->held) + strlen(j->said) + strlen(j->more);
}

/* Live for `*steps` instructions, die, be recovered. */
static bool
travel(const struct journey *j, long *steps)
{
	struct pair p = depart(j);
	bool good;

	*steps = kill_after(&p, j->act, *steps);
	(void)succeed();
	memset(arena_scratch(&rig.arena, 0), 'X', SCRATCH_BYTES);
	good = arrive(j, &p);
	rig_down();
	return good;
}

/* One processor for both: handing over between two takes longer. */
static void
stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
test_steps(void)
{
	stay_here();
	for (size_t i = 0; i < sizeof(journeys) / sizeof(*journeys); i++) {
		const struct journey *j = &journeys[i];
		const char *steps = getenv("RECOVER_STEPS");
		long whole = 1000000, stride, at, bad = -1;
		unsigned kills = 0;

		if (!travel(j, &whole) || whole <= 0) {
			ok(whole == -1, "%s # SKIP cannot trace", j->what);
			continue;
		}
		stride = whole * whole / 2 / (steps != NULL ? atol(steps) :
		    j->act == ACT_CLOSE ? STEPS_CLOSE : STEPS) + 1;
		for (long n = 0; n < whole && bad == -1; n += stride) {
			at = n;
			kills++;
			if (!travel(j, &at))
				bad = n;
		}
		ok(bad == -1, "%s: killed at %u of %ld instructions", j->what,
		    kills, whole);
		if (bad != -1)
			printf("# wrong when killed after %ld\n", bad);
	}
}

int
main(void)
{
	const struct log_settings quiet = { .level = LOG_LEVEL_WARNING + 1,
		.console = -1 };

	signals_block();
	checked(log_open(&quiet), "log_open");
	test_receive_scratch();
	test_receive_window();
	end_is_told(0, false, "data and FIN unread");
	end_is_told(2, false, "data read in part, FIN unread");
	end_is_told(4, false, "data read, FIN unread");
	end_is_told(4, true, "data and FIN read");
	test_handler();
	test_send();
	test_finish();
	test_accept();
	test_strangers();
	test_close();
	test_park();
	test_give();
	test_fault();
	test_again();
	test_foster();
	test_insane();
	test_urgent();
	test_steps();
	return tap_done();
}
