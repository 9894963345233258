/* SPDX-License-Identifier: ISC */
/*
 * A byte-checking load on an echo server: every byte that comes back is held
 * against what was sent, and every reset, refused connect and stall counted.
 *
 * usage: load [-h host] [-p port] [-t seconds] [-n echoes] [-f file]
 *             [-e file] [-d ms] [-w ms] [-o] [-c] kind:count ...
 *
 * Kinds of client:
 *	small		64-byte lines, one at a time
 *	pipeline	256-byte lines, 16 at a time
 *	medium		16 KiB lines, one at a time
 *	large		1 MiB lines, one at a time
 *	slow		1 MiB lines, read 8 KiB at a time with pauses
 *	partial		half a line, a pause, the other half
 *	halfclose	a line and a half, shutdown, read to EOF; then anew
 *	churn		connect, one line, close; then anew
 *	idle		silent until the end, then one line
 *
 * Stops after -t seconds, after -n echoes, or when the file of -e exists,
 * whichever is first; the file of -f is made once every client is connected.
 * With -d a client rests so long before it begins its next lines; with -w one
 * that has not moved for so long has stalled (20,000).
 * With -o clients connect once: one that is lost does not connect again.
 * With -c the server is not an echo: it answers each byte with one that depends
 * on all bytes before it (tests/programs/modules/crc.c).  So one byte too many,
 * too few, or a state that is not that of the last byte makes all that follows
 * wrong.
 * Not stalled but unheard is one whose segments are not even acknowledged: that
 * is no fault of the server's.
 * Prints one line of name=value figures.
 * Exit status 0 if no byte was wrong and nothing lost, else 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind {
	SMALL,
	PIPELINE,
	MEDIUM,
	LARGE,
	SLOW,
	PARTIAL,
	HALFCLOSE,
	CHURN,
	IDLE,
	KINDS
};

static const struct {
	const char *name;
	size_t line;	/* bytes of a line */
	unsigned burst; /* lines in flight */
} kinds[KINDS] = {
	[SMALL] = { "small", 64, 1 },
	[PIPELINE] = { "pipeline", 256, 16 },
	[MEDIUM] = { "medium", 16384, 1 },
	[LARGE] = { "large", 1 << 20, 1 },
	[SLOW] = { "slow", 1 << 20, 1 },
	[PARTIAL] = { "partial", 200, 1 },
	[HALFCLOSE] = { "halfclose", 100, 1 },
	[CHURN] = { "churn", 64, 1 },
	[IDLE] = { "idle", 32, 1 },
};

struct client {
	enum kind kind;
	unsigned id;
	int fd;		     /* -1: to be connected again */
	uint64_t sent, got;  /* stream positions */
	uint32_t sum;	     /* of the bytes up to `got`, with -c */
	uint64_t goal;	     /* send up to here, then wait for the echo */
	uint64_t began;	     /* ns: the burst was begun */
	uint64_t not_before; /* ns: nothing to be done until then */
	uint64_t moved;	     /* ns: last progress */
	uint32_t event_kind; /* epoll events */
	bool shut;	     /* we have sent FIN */
	bool second_half;    /* PARTIAL */
	uint16_t port;	     /* ours, by which the server calls us */
};

#define CHUNK 65536
#define TABLE 1048583
#define MS UINT64_C(1000000)
#define HISTOGRAM 40960 /* of pauses, by tenths of ms */

static struct sockaddr_in server;
static struct client *clients;
static unsigned count;
static int ep;
static bool started, stopping, once, sums;
static char out[CHUNK], in[CHUNK];
static char table[TABLE + CHUNK];
static char expected[CHUNK];
static uint64_t echoes, bytes, lost, wrong, refused, stalled, connects;
static uint64_t unheard;
static uint64_t histogram[HISTOGRAM + 1], worst;
static uint64_t rest; /* ns, of -d */
static uint64_t patience = 20000 * MS;

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/*
 * The byte a client sends at a stream position: the same whenever asked, so
 * that nothing need be kept.  Letters from a table of prime length, different
 * for each client, so that loss and repetition do not go unnoticed.
 */
static void
make_table(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < TABLE; i++) {
		x = x * 1664525 + 1013904223;
		table[i] = (char)('A' + (x >> 16) % 57);
	}
	memcpy(table + TABLE, table, CHUNK);
}

/* Write the bytes of positions p to p + n - 1, n at most CHUNK. */
static void
bytes_at(const struct client *c, uint64_t p, char *buf, size_t n)
{
	const size_t line = kinds[c->kind].line;

	memcpy(buf, table + (p + c->id * UINT64_C(7919)) % TABLE, n);
	for (size_t i = line - 1 - p % line; i < n; i += line)
		buf[i] = '\n';
}

/* What crc.c makes of the next `n` bytes. */
static void
sum_up(struct client *c, char *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c->sum = (c->sum ^ (unsigned char)buf[i]) * UINT32_C(16777619) +
		    1;
		buf[i] = (char)(c->sum >> 24);
	}
}

static void
watch(struct client *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (events == c->event_kind)
		return;
	if (epoll_ctl(ep,
		c->event_kind == UINT32_MAX ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
		c->fd, &ev) == -1) {
		perror("epoll_ctl");
		exit(2);
	}
	c->event_kind = events;
}

/* Begin the next lines; the clock of the pause runs from here. */
static void
begin_burst(struct client *c)
{
	const size_t burst = kinds[c->kind].line * kinds[c->kind].burst;

	c->goal = c->sent + burst;
	c->began = now_ns();
	if (c->kind == PARTIAL) {
		c->goal = c->sent + burst / 2;
		c->second_half = false;
	} else if (c->kind == HALFCLOSE)
		c->goal = c->sent + burst + burst / 2;
}

static void
make_connection(struct client *c)
{
	int on = 1, small = 16384;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1) {
		perror("socket");
		exit(2);
	}
	if (c->kind == SLOW)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* Blocking: on loopback it is done at once or refused. */
	if (connect(c->fd, (struct sockaddr *)&server, sizeof(server)) == -1) {
		refused++;
		close(c->fd);
		c->fd = -1;
		c->not_before = now_ns() + 50 * MS;
		return;
	}
	connects++;
	c->port = getsockname(c->fd, (struct sockaddr *)&sin, &len) == 0
	    ? ntohs(sin.sin_port)
	    : 0;
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->sent = c->got = c->goal = 0;
	c->sum = 0;
	c->shut = false;
	c->event_kind = UINT32_MAX;
	c->moved = now_ns();
	watch(c, EPOLLIN);
	if (started && c->kind != IDLE) {
		begin_burst(c);
		watch(c, EPOLLIN | EPOLLOUT);
	}
}

static void
drop_connection(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	c->not_before = rest == 0 ? 0 : now_ns() + rest;
}

static void
lose(struct client *c, const char *how)
{
	if (lost++ < 200)
		fprintf(stderr,
		    "load: %s client %u, port %u: %s at sent %llu "
		    "got %llu\n",
		    kinds[c->kind].name, c->id, c->port, how,
		    (unsigned long long)c->sent, (unsigned long long)c->got);
	drop_connection(c);
	if (once)
		c->not_before = UINT64_MAX;
}

static void
count_pause(uint64_t ns)
{
	uint64_t slot = ns / (MS / 10);

	histogram[slot < HISTOGRAM ? slot : HISTOGRAM]++;
	if (ns > worst)
		worst = ns;
}

/* All that was sent has come back. */
static void
burst_done(struct client *c)
{
	uint64_t now = now_ns();

	if (c->kind == PARTIAL && !c->second_half) {
		/* cannot be: half a line does not come back */
		wrong++;
		return;
	}
	echoes += kinds[c->kind].burst;
	if (c->kind != PARTIAL && c->kind != SLOW)
		count_pause(now - c->began);
	if (c->kind == CHURN) {
		drop_connection(c);
		return;
	}
	if (stopping)
		return;
	begin_burst(c);
	if (rest > 0) {
		c->not_before = c->began += rest;
		watch(c, EPOLLIN);
	} else
		watch(c, EPOLLIN | EPOLLOUT);
}

static void
do_send(struct client *c)
{
	uint64_t now = now_ns();
	size_t n;
	ssize_t r;

	if (now < c->not_before)
		return;
	if (c->sent < c->goal) {
		n = c->goal - c->sent < CHUNK ? c->goal - c->sent : CHUNK;
		bytes_at(c, c->sent, out, n);
		r = send(c->fd, out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (r == -1 && errno != EAGAIN) {
			lose(c, strerror(errno));
			return;
		}
		if (r > 0) {
			c->sent += (uint64_t)r;
			c->moved = now;
		}
	}
	if (c->sent < c->goal)
		return;
	if (c->kind == PARTIAL && !c->second_half) {
		/* The rest of the line after a pause of 20 to 200 ms. */
		c->not_before = now + (20 + c->sent % 180) * MS;
		c->goal += kinds[c->kind].line - kinds[c->kind].line / 2;
		c->second_half = true;
		c->moved = now;
		watch(c, EPOLLIN);
		return;
	}
	if (c->kind == HALFCLOSE && !c->shut) {
		shutdown(c->fd, SHUT_WR);
		c->shut = true;
	}
	watch(c, EPOLLIN);
}

static void
do_receive(struct client *c)
{
	uint64_t now = now_ns();
	ssize_t r;

	if (c->kind == SLOW && now < c->not_before)
		return;
	r = recv(c->fd, in, c->kind == SLOW ? 8192 : sizeof(in), MSG_DONTWAIT);
	if (r == -1) {
		if (errno != EAGAIN)
			lose(c, strerror(errno));
		return;
	}
	if (r == 0) {
		if (c->shut && c->got == c->sent) {
			echoes++;
			count_pause(now - c->began);
			drop_connection(c);
		} else
			lose(c, "EOF");
		return;
	}
	bytes_at(c, c->got, expected, (size_t)r);
	if (sums)
		sum_up(c, expected, (size_t)r);
	if (memcmp(in, expected, (size_t)r) != 0) {
		if (wrong++ < 20)
			fprintf(stderr,
			    "load: %s client %u: wrong bytes from "
			    "%llu to %llu\n",
			    kinds[c->kind].name, c->id,
			    (unsigned long long)c->got,
			    (unsigned long long)c->got + (unsigned long long)r);
		drop_connection(c);
		return;
	}
	c->got += (uint64_t)r;
	bytes += (uint64_t)r;
	c->moved = now;
	if (c->kind == SLOW) {
		c->not_before = now + 2 * MS;
		watch(c, c->sent < c->goal ? EPOLLOUT : 0);
	}
	if (c->got == c->goal && c->sent == c->goal && !c->shut)
		burst_done(c);
}

/*
 * Whether what we send is sent again and again and never acknowledged.  The
 * server's process cannot cause that on a connection that it has accepted,
 * from which something has come: if it hangs or does not read, its kernel
 * still acknowledges all that it has offered a window for, and we send no
 * more.  A kernel that is short of memory for TCP, which all programs of the
 * machine share (tcp_mem), does drop segments; where both directions were full
 * neither side then learned that the other had room again (Linux 6.18).
 */
static bool
is_unheard(const struct client *c)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return c->got > 0 &&
	    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_unacked > 0 && info.tcpi_backoff >= 2;
}

static void
give_up(struct client *c)
{
	/* By a reset: who is not heard would not be heard saying FIN. */
	const struct linger reset = { .l_onoff = 1 };

	if (!is_unheard(c)) {
		stalled++;
		lose(c, "stalled");
		return;
	}
	if (unheard++ < 20)
		fprintf(stderr, "load: unheard: %s client %u, port %u\n",
		    kinds[c->kind].name, c->id, c->port);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	drop_connection(c);
}

/* Clients that wait for a time rather than for the socket. */
static void
look_around(void)
{
	uint64_t now = now_ns();

	for (unsigned i = 0; i < count; i++) {
		struct client *c = &clients[i];

		if (c->fd == -1) {
			if (!stopping && now >= c->not_before)
				make_connection(c);
			continue;
		}
		if (c->not_before != 0 && now >= c->not_before) {
			c->not_before = 0;
			watch(c, EPOLLIN | (c->sent < c->goal ? EPOLLOUT : 0));
		}
		if ((c->kind != IDLE || stopping) && c->got < c->goal &&
		    now - c->moved > patience)
			give_up(c);
	}
}

static bool
all_done(void)
{
	for (unsigned i = 0; i < count; i++)
		if (clients[i].fd != -1 &&
		    (clients[i].got < clients[i].goal || clients[i].shut))
			return false;
	return true;
}

static void
run_once(void)
{
	struct epoll_event ev[256];
	static uint64_t looked;
	int n = epoll_wait(ep, ev, 256, 5);

	for (int i = 0; i < n; i++) {
		struct client *c = ev[i].data.ptr;

		if ((ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 &&
		    c->fd != -1)
			do_receive(c);
		if ((ev[i].events & EPOLLOUT) != 0 && c->fd != -1)
			do_send(c);
	}
	if (now_ns() - looked > 2 * MS) {
		looked = now_ns();
		look_around();
	}
}

/* The clients that were idle all the time are still there and answer. */
static void
wake_idle(void)
{
	for (unsigned i = 0; i < count; i++)
		if (clients[i].kind == IDLE && clients[i].fd != -1) {
			begin_burst(&clients[i]);
			clients[i].moved = now_ns();
			watch(&clients[i], EPOLLIN | EPOLLOUT);
		}
}

static double
percentile(double share)
{
	uint64_t total = 0, seen = 0;

	for (int i = 0; i <= HISTOGRAM; i++)
		total += histogram[i];
	for (int i = 0; i <= HISTOGRAM; i++) {
		seen += histogram[i];
		if ((double)seen >= (double)total * share)
			return i / 10.0;
	}
	return 0;
}

static void
add_clients(const char *argument)
{
	const char *colon = strchr(argument, ':');

	for (int k = 0; k < KINDS; k++) {
		size_t len = strlen(kinds[k].name);
		unsigned n;

		if (colon == NULL || (size_t)(colon - argument) != len ||
		    strncmp(argument, kinds[k].name, len) != 0)
			continue;
		n = (unsigned)strtoul(colon + 1, NULL, 10);
		clients = reallocarray(clients, count + n, sizeof(*clients));
		if (clients == NULL) {
			perror("load");
			exit(2);
		}
		for (; n > 0; n--, count++)
			clients[count] = (struct client){ .kind = (enum kind)k,
				.id = count,
				.fd = -1 };
		return;
	}
	fprintf(stderr, "load: %s: no such kind of client\n", argument);
	exit(2);
}

static void
report(void)
{
	unsigned idle = 0, alive = 0;

	for (unsigned i = 0; i < count; i++)
		if (clients[i].kind == IDLE) {
			idle++;
			alive += clients[i].fd != -1 && clients[i].got > 0 &&
			    clients[i].got == clients[i].goal;
		}
	printf("echoes=%llu bytes=%llu connects=%llu lost=%llu wrong=%llu "
	       "refused=%llu stalled=%llu idle=%u idle_alive=%u unheard=%llu "
	       "median_ms=%.1f p99_ms=%.1f p999_ms=%.1f worst_ms=%.1f\n",
	    (unsigned long long)echoes, (unsigned long long)bytes,
	    (unsigned long long)connects, (unsigned long long)lost,
	    (unsigned long long)wrong, (unsigned long long)refused,
	    (unsigned long long)stalled, idle, alive,
	    (unsigned long long)unheard, percentile(0.5), percentile(0.99),
	    percentile(0.999), (double)worst / (double)MS);
}

int
main(int argc, char **argv)
{
	uint64_t seconds = 10, most = UINT64_MAX, end;
	const char *host = "127.0.0.1", *file = NULL, *end_file = NULL;
	unsigned port = 6379;
	struct rlimit rl;
	int c;

	while ((c = getopt(argc, argv, "h:p:t:n:f:e:d:ocw:")) != -1)
		switch (c) {
		case 'h':
			host = optarg;
			break;
		case 'p':
			port = (unsigned)atoi(optarg);
			break;
		case 't':
			seconds = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			most = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			file = optarg;
			break;
		case 'e':
			end_file = optarg;
			break;
		case 'd':
			rest = strtoull(optarg, NULL, 10) * MS;
			break;
		case 'o':
			once = true;
			break;
		case 'c':
			sums = true;
			break;
		case 'w':
			patience = strtoull(optarg, NULL, 10) * MS;
			break;
		default:
			return 2;
		}
	for (; optind < argc; optind++)
		add_clients(argv[optind]);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	make_table();
	server.sin_family = AF_INET;
	server.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &server.sin_addr) != 1) {
		fprintf(stderr, "load: %s: not an IPv4 address\n", host);
		return 2;
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < count; i++)
		make_connection(&clients[i]);
	started = true;
	for (unsigned i = 0; i < count; i++)
		if (clients[i].fd != -1 && clients[i].kind != IDLE) {
			begin_burst(&clients[i]);
			watch(&clients[i], EPOLLIN | EPOLLOUT);
		}
	if (file != NULL)
		close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	end = now_ns() + seconds * 1000 * MS;
	while (now_ns() < end && echoes < most &&
	    (end_file == NULL || access(end_file, F_OK) == -1))
		run_once();
	stopping = true;
	wake_idle();
	for (end = now_ns() + 30000 * MS; !all_done() && now_ns() < end;)
		run_once();
	if (!all_done())
		stalled++;
	report();
	return lost + wrong + refused + stalled > 0;
}
