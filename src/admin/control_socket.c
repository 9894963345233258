/* SPDX-License-Identifier: ISC */
/*
 * Clients of the control socket: access control, requests, and sending answers
 * without ever waiting for a client.
 */
#include "admin/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/accept.h"
#include "admin/commands.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "shared/control_commands.h"

#define CLIENTS CONFIG_CONTROL_CLIENTS
/* Places for root and the service's user only, for root only, and a user's. */
#define KEPT 40
#define KEPT_ROOT 20
#define PER_USER 20
/* Events, and new clients, looked at in one step. */
#define BATCH 16
/* A client that neither asks nor reads for so long, or that is there for so
 * long, is dropped, ms. */
#define PATIENCE 30000
#define PATIENCE_IN_ALL 60000

/* A connection that is to be closed is looked at so often, and for so long, ms:
 * its worker may hang until the watchdog comes. */
#define CLOSING_LOOK 5
#define CLOSING_PATIENCE 5000
/* A master that does not answer for so long is stopped or in trouble, ms.  A
 * reload is checked and its workers start meanwhile. */
#define MASTER_PATIENCE 5000
#define RELOAD_PATIENCE 60000

/*
 * A client's life:
 *
 *	accept --> ASKING --> ANSWERING --> closed
 *	              |           ^
 *	              +-> WAITING-+    the answer is the master's
 *	                     |    |
 *	                     +-> CLOSING   a connection is on its way out
 */
enum client_phase {
	CLIENT_ASKING,
	CLIENT_WAITING,
	CLIENT_CLOSING,
	CLIENT_ANSWERING
};

struct client {
	int fd; /* -1: no client */
	enum client_phase phase;
	uint64_t expires, ends; /* clock_ms() */
	uid_t uid;
	bool json, framed;
	char request[CONTROL_REQUEST_BYTES];
	size_t got;
	char *answer; /* from malloc(3) */
	size_t length, sent;
	struct connection_list list; /* what the answer goes on with */
	uint32_t sequence;	     /* of the master's answer */
	struct connection_name closing;
};

static struct {
	int listener, epoll;
	const struct view *view;
	unsigned clients;
	struct client client[CLIENTS];
} state = { .listener = -1, .epoll = -1 };

static int
control_socket_add(int op, int fd, uint32_t events, unsigned index)
{
	struct epoll_event e = { .events = events, .data.u32 = index };

	return epoll_ctl(state.epoll, op, fd, &e);
}

int
control_socket_begin(const struct view *v, int listener)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		state.client[i].fd = -1;
	state.view = v;
	state.listener = listener;
	state.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (state.epoll == -1)
		return -1;
	return control_socket_add(EPOLL_CTL_ADD, listener, EPOLLIN, CLIENTS);
}

int
control_socket_watch(void)
{
	return state.epoll;
}

/* Close with nothing unread, which would be an error to the other side. */
static void
control_socket_part(int fd)
{
	char rest[4096];

	(void)!recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
	close(fd);
}

static void
control_socket_drop(struct client *c)
{
	control_socket_part(c->fd);
	free(c->answer);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	state.clients--;
}

/* Whether `gid` is among the groups of the process at the other end. */
static bool
control_socket_in_group(int fd, const struct ucred *peer, gid_t gid)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (peer->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* Root, the service's own user, and with mode 0660 its group; the file's mode
 * says the same, but a file can be reached in strange ways. */
static bool
control_socket_may_ask(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	*uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid() ||
	    (state.view->config->control_socket_mode == 0660 &&
		control_socket_in_group(fd, &peer, getegid()));
}

static void
control_socket_refuse(int fd, const char *why)
{
	(void)!send(fd, why, strlen(why), MSG_DONTWAIT | MSG_NOSIGNAL);
	control_socket_part(fd);
}

/* True if there is a place for one more client of `uid`.  Other users
 * cannot take the places that are kept for root and for the service's user. */
static bool
control_socket_has_place(uid_t uid)
{
	unsigned same = 0;

	if (uid == 0)
		return true;
	if (uid == geteuid())
		return state.clients < CLIENTS - KEPT_ROOT;
	for (unsigned i = 0; i < CLIENTS; i++)
		same += state.client[i].fd != -1 && state.client[i].uid == uid;
	return same < PER_USER && state.clients < CLIENTS - KEPT;
}

static void
control_socket_welcome(int fd, uid_t uid)
{
	for (unsigned i = 0; i < CLIENTS && control_socket_has_place(uid);
	     i++) {
		struct client *c = &state.client[i];

		if (c->fd != -1)
			continue;
		if (control_socket_add(EPOLL_CTL_ADD, fd, EPOLLIN, i) == -1)
			break;
		c->fd = fd;
		c->uid = uid;
		c->expires = clock_ms() + PATIENCE;
		c->ends = clock_ms() + PATIENCE_IN_ALL;
		state.clients++;
		return;
	}
	control_socket_refuse(fd,
	    "error: too many clients of the control socket\n");
}

/* Take clients that wait.  */
static void
control_socket_receive(void)
{
	for (unsigned n = 0; n < BATCH && state.listener != -1; n++) {
		static struct log_rate_limit backoff, shortages;
		unsigned missed;
		uid_t uid = (uid_t)-1;
		int fd = accept_client(state.listener, NULL, NULL);

		if (fd == -1) {
			if (errno != EAGAIN && errno != ECONNABORTED &&
			    log_rate_limit(&shortages, &missed))
				log_warn("accept on control-socket %s",
				    state.view->config->control_socket);
			return;
		}
		if (control_socket_may_ask(fd, &uid)) {
			control_socket_welcome(fd, uid);
			continue;
		}
		if (log_rate_limit(&backoff, &missed))
			log_warnx("control: user %u may not ask; %u more "
				  "refused unlogged",
			    (unsigned)uid, missed);
		control_socket_refuse(fd, "error: permission denied\n");
	}
}

/* Have some more of a long answer.  Returns false if memory is short. */
static bool
control_socket_refill(struct client *c)
{
	FILE *out;

	free(c->answer);
	c->answer = NULL;
	c->length = c->sent = 0;
	out = open_memstream(&c->answer, &c->length);
	if (out == NULL)
		return false;
	connections_more(&c->list, state.view, out);
	return fclose(out) == 0;
}

/* Send what the client takes now, a bounded part of it. */
static void
control_socket_answer(struct client *c)
{
	ssize_t n;

	if (c->sent == c->length && c->list.active &&
	    !control_socket_refill(c)) {
		control_socket_drop(c);
		return;
	}
	if (c->sent == c->length && !c->list.active && c->framed) {
		/* All of it was sent: say so. */
		n = send(c->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		c->framed = n == -1 && (errno == EAGAIN || errno == EINTR);
	} else if (c->sent < c->length) {
		n = send(c->fd, c->answer + c->sent, c->length - c->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			control_socket_drop(c);
			return;
		}
		if (n > 0) {
			c->sent += (size_t)n;
			c->expires = clock_earlier(c->ends,
			    clock_ms() + PATIENCE);
		}
	}
	if (c->sent == c->length && !c->list.active && !c->framed)
		control_socket_drop(c);
}

/* There is an answer: send it as the client takes it. */
static void
control_socket_begin_answer(struct client *c)
{
	c->phase = CLIENT_ANSWERING;
	c->ends = clock_ms() + PATIENCE_IN_ALL;
	c->expires = clock_ms() + PATIENCE;
	c->sent = 0;
	if (control_socket_add(EPOLL_CTL_MOD, c->fd, EPOLLOUT,
		(unsigned)(c - state.client)) == -1)
		control_socket_drop(c);
	else
		control_socket_answer(c);
}

/* A line of our own that is no answer to a command. */
static void
control_socket_say(struct client *c, const char *text)
{
	free(c->answer);
	c->answer = strdup(text);
	c->length = c->answer == NULL ? 0 : strlen(text);
	control_socket_begin_answer(c);
}

/* The one line that a request of the master ends with. */
static void
control_socket_conclude(struct client *c, bool done, const char *text)
{
	struct command_request r = { .json = c->json };

	free(c->answer);
	c->answer = NULL;
	c->length = 0;
	r.out = open_memstream(&c->answer, &c->length);
	if (r.out == NULL) {
		control_socket_drop(c);
		return;
	}
	if (done)
		commands_succeed(&r, "%s", text);
	else
		commands_fail(&r, "%s", text);
	if (fclose(r.out) != 0)
		control_socket_drop(c);
	else
		control_socket_begin_answer(c);
}

static void
control_socket_execute(struct client *c)
{
	struct command_request r = { .view = state.view,
		.uid = c->uid,
		.list = &c->list };

	r.out = open_memstream(&c->answer, &c->length);
	if (r.out == NULL) {
		control_socket_drop(c);
		return;
	}
	commands_run(&r, c->request);
	c->json = r.json;
	c->framed = r.framed;
	if (fclose(r.out) != 0) {
		control_socket_say(c, "error: out of memory\n");
		return;
	}
	if (r.sequence == 0) {
		control_socket_begin_answer(c);
		return;
	}
	c->phase = CLIENT_WAITING;
	c->sequence = r.sequence;
	c->closing = r.closing;
	c->expires = clock_ms() +
	    (r.asked == REQUEST_RELOAD ? RELOAD_PATIENCE : MASTER_PATIENCE);
	/* Nothing more is read; a client that goes is noticed by the answer. */
	if (control_socket_add(EPOLL_CTL_MOD, c->fd, 0,
		(unsigned)(c - state.client)) == -1)
		control_socket_drop(c);
}

/* The line is complete: `end` is where its newline was. */
static void
control_socket_asked(struct client *c, char *end)
{
	bool text = true;

	if (end > c->request && end[-1] == '\r')
		end--;
	*end = '\0';
	for (const char *p = c->request; p < end; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			text = false;
	if (text)
		control_socket_execute(c);
	else
		control_socket_say(c,
		    "error: the request is not a line of text\n");
}

static void
control_socket_listen_to(struct client *c)
{
	ssize_t n = recv(c->fd, c->request + c->got,
	    sizeof(c->request) - c->got, MSG_DONTWAIT);
	char *end;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1 || (n == 0 && c->got == 0)) {
		control_socket_drop(c);
		return;
	}
	end = memchr(c->request + c->got, '\n', (size_t)n);
	c->got += (size_t)n;
	/* A line that ends with the input needs no newline. */
	if (n == 0)
		end = c->request + c->got;
	if (end != NULL)
		control_socket_asked(c, end);
	else if (c->got == sizeof(c->request))
		control_socket_say(c,
		    "error: the request is longer than 1023 bytes\n");
}

void
control_socket_replied(const struct message *answer)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &state.client[i];

		if (c->fd == -1 || c->phase != CLIENT_WAITING ||
		    c->sequence != answer->sequence)
			continue;
		if (answer->kind == MESSAGE_DONE && c->closing.cookie != 0) {
			c->phase = CLIENT_CLOSING;
			c->expires = clock_ms() + CLOSING_PATIENCE;
		} else
			control_socket_conclude(c, answer->kind == MESSAGE_DONE,
			    answer->text);
		return;
	}
}

/* See whether the connection has gone. */
static void
control_socket_look(struct client *c)
{
	const char *name = peer_name(&c->closing.peer);
	char text[160];

	if (!connections_has(state.view->arena, &c->closing)) {
		control_socket_conclude(c, true, name);
		return;
	}
	if (clock_ms() < c->expires)
		return;
	snprintf(text, sizeof(text),
	    "close: %s is told, but its worker has not come to it", name);
	control_socket_conclude(c, false, text);
}

static void
control_socket_expire(struct client *c)
{
	if (c->phase == CLIENT_CLOSING)
		control_socket_look(c);
	else if (clock_ms() < c->expires)
		return;
	else if (c->phase == CLIENT_WAITING)
		control_socket_conclude(c, false,
		    "the master has not answered in time; it may be stopped");
	else
		control_socket_drop(c);
}

void
control_socket_step(void)
{
	struct epoll_event event[BATCH];
	int n;

	if (state.epoll == -1)
		return;
	n = epoll_wait(state.epoll, event, BATCH, 0);
	for (int i = 0; i < n; i++) {
		uint32_t number = event[i].data.u32;
		struct client *c = &state.client[number % CLIENTS];

		if (number == CLIENTS)
			control_socket_receive();
		else if (c->fd == -1)
			continue; /* gone by an event before */
		else if (c->phase == CLIENT_ANSWERING)
			control_socket_answer(c);
		else if (c->phase == CLIENT_ASKING)
			control_socket_listen_to(c);
		else
			control_socket_drop(c); /* EPOLLHUP: it has gone */
	}
	for (unsigned i = 0; state.clients > 0 && i < CLIENTS; i++)
		if (state.client[i].fd != -1)
			control_socket_expire(&state.client[i]);
}

void
control_socket_finish(uint64_t deadline)
{
	if (state.epoll == -1 || state.listener == -1)
		return;
	(void)epoll_ctl(state.epoll, EPOLL_CTL_DEL, state.listener, NULL);
	state.listener = -1;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (state.client[i].fd != -1 &&
		    state.client[i].phase == CLIENT_ASKING)
			state.client[i].expires = clock_earlier(deadline,
			    state.client[i].expires);
}

bool
control_socket_is_idle(void)
{
	return state.clients == 0;
}

uint64_t
control_socket_next(void)
{
	uint64_t next = CLOCK_NEVER;

	for (unsigned i = 0; state.clients > 0 && i < CLIENTS; i++)
		if (state.client[i].fd != -1)
			next = clock_earlier(next,
			    state.client[i].phase == CLIENT_CLOSING
				? clock_ms() + CLOSING_LOOK
				: state.client[i].expires);
	return next;
}
