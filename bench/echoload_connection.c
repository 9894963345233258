/* SPDX-License-Identifier: ISC */
/*
 * One connection: its socket, its stream positions, its failures.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echoload_client.h"

/*
 * One address has some 28,000 ports for connections to one server, and a
 * closed connection keeps its port for a minute.  127.0.0.0/8 is all ours.
 */
#define PER_SOURCE 16000
#define SOURCES 240

/* Calls of send(2) or recv(2) until it is another connection's turn. */
#define TURN 16

static enum failure
failure_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return FAIL_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return FAIL_RESET;
	case ETIMEDOUT:
		return FAIL_TIMEOUT;
	default:
		return FAIL_OTHER;
	}
}

/* Close and forget what was on its way; the stream goes on behind it. */
void
connection_close(struct client *t, struct connection *c)
{
	uint64_t size = t->o->size;

	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->watched = 0;
	if (c->state == CONNECTING)
		t->connecting--;
	c->state = CLOSED;
	if (c->got == c->goal)
		return;
	c->sent = t->o->rate > 0 ? (c->sent + size - 1) / size * size : c->goal;
	c->got = c->sent;
	c->send_place = pattern_place(t->pattern, c->id, c->sent);
	c->check_place = c->send_place;
}

void
connection_fail(struct client *t, struct connection *c, enum failure why)
{
	t->result.failures[why]++;
	connection_close(t, c);
	c->next_down = NULL;
	*t->down_tail = c;
	t->down_tail = &c->next_down;
}

static void
fail_by_errno(struct client *t, struct connection *c)
{
	enum failure why = failure_of(errno);

	if (why == FAIL_OTHER)
		t->result.other = errno;
	connection_fail(t, c, why);
}

void
connection_watch(struct client *t, struct connection *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };
	int op = c->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (events == c->watched)
		return;
	c->watched = events;
	if (epoll_ctl(t->ep, op, c->fd, &ev) == -1)
		fail_by_errno(t, c);
}

/* Which of 127.0.0.2 and following to connect from; 0: the kernel's choice. */
static unsigned
source_of(struct client *t, const struct connection *c)
{
	if (!t->run->loopback)
		return 0;
	if (t->o->churn && !c->idle)
		return 1 + (t->sources++ * t->o->threads + t->number) % SOURCES;
	return c->id / PER_SOURCE % (SOURCES + 1);
}

static int
bind_source(int fd, unsigned source)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source),
	};
	int on = 1;

	if (source == 0)
		return 0;
	/* The port is chosen when the peer is known: then each pair of
	 * addresses has all of them. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
}

void
connection_open(struct client *t, struct connection *c, uint64_t now)
{
	const struct run *r = t->run;
	int on = 1;

	c->began = c->moved = now;
	c->fd = socket(r->server.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || bind_source(c->fd, source_of(t, c)) == -1 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
		-1 ||
	    (connect(c->fd, (const struct sockaddr *)&r->server,
		 r->server_len) == -1 &&
		errno != EINPROGRESS)) {
		fail_by_errno(t, c);
		return;
	}
	if (t->o->churn && !c->idle) {
		/* On loopback it is established by now; elsewhere this only
		 * finds out that it has to wait. */
		c->state = OPEN;
		c->goal += t->o->size;
		connection_send(t, c, now);
		return;
	}
	c->state = CONNECTING;
	t->connecting++;
	connection_watch(t, c, EPOLLIN | EPOLLOUT);
}

void
connection_send(struct client *t, struct connection *c, uint64_t now)
{
	const struct pattern *p = t->pattern;
	size_t n;
	ssize_t r;

	/* With nothing out, the wait for progress begins now. */
	if (c->sent == c->got)
		c->moved = now;
	for (int i = 0; c->sent < c->goal && i < TURN; i++) {
		n = p->all - c->send_place;
		if (n > c->goal - c->sent)
			n = (size_t)(c->goal - c->sent);
		r = send(c->fd, p->bytes + c->send_place, n, MSG_NOSIGNAL);
		if (r == -1) {
			if (errno == EAGAIN)
				break;
			fail_by_errno(t, c);
			return;
		}
		c->sent += (uint64_t)r;
		c->send_place = (c->send_place + (size_t)r) % p->ring;
	}
	connection_watch(t, c, EPOLLIN | (c->sent < c->goal ? EPOLLOUT : 0));
}

/* Often it is a message, as "-ERR max number of clients reached". */
static void
keep_strange(char *to, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && i < STRANGE; i++)
		*to++ = isprint((unsigned char)bytes[i]) ? bytes[i] : '.';
	*to = '\0';
}

/* Whether the `n` bytes in the buffer are those to come. */
static bool
is_right(struct client *t, const struct connection *c, size_t n)
{
	size_t due = n, right;

	if (n > c->sent - c->got)
		due = (size_t)(c->sent - c->got);
	right = t->o->check
	    ? pattern_match(t->pattern, c->check_place, t->buffer, due)
	    : due;
	if (right == n)
		return true;
	if (t->o->check && t->result.strange[0] == '\0')
		keep_strange(t->result.strange, t->buffer + right, n - right);
	return false;
}

bool
connection_receive(struct client *t, struct connection *c)
{
	uint64_t before = c->got;
	ssize_t r = BUFFER_SIZE;

	for (int i = 0; i < TURN && r == BUFFER_SIZE; i++) {
		/* Unchecked bytes need not even be copied. */
		r = recv(c->fd, t->buffer, BUFFER_SIZE,
		    t->o->check ? 0 : MSG_TRUNC);
		if (r == -1 && errno == EAGAIN)
			break;
		if (r == -1) {
			fail_by_errno(t, c);
			return false;
		}
		if (r == 0) {
			connection_fail(t, c, FAIL_EOF);
			return false;
		}
		if (!is_right(t, c, (size_t)r)) {
			connection_fail(t, c, FAIL_WRONG);
			return false;
		}
		c->got += (uint64_t)r;
		c->check_place = (c->check_place + (size_t)r) %
		    t->pattern->ring;
	}
	return c->got > before;
}
