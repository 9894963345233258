/* SPDX-License-Identifier: ISC */
/*
 * Clients of the control socket: who may come, what they ask, and getting the
 * answer to them without ever waiting.
 */
#include "admin/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/commands.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "master/instances.h"

#define CLIENTS CONFIG_CONTROL_CLIENTS
/* Places for root and the service's user only, for root only, and a user's. */
#define KEPT 40
#define KEPT_ROOT 20
#define PER_USER 20
/* Longest line, with its newline. */
#define REQUEST_BYTES 1024
/* Events, and new clients, looked at in one step. */
#define BATCH 16
/* A client that neither asks nor reads for so long, or that is there for so
 * long, is dropped, ms. */
#define PATIENCE 30000
#define PATIENCE_IN_ALL 60000

struct client {
	int fd;			/* -1: no client */
	uint64_t expires, ends; /* clock_ms() */
	uid_t uid;
	bool answering;
	char request[REQUEST_BYTES];
	size_t got;
	char *answer; /* from malloc(3) */
	size_t length, sent;
	struct connection_list list; /* what the answer goes on with */
};

static struct {
	int listener, epoll;
	unsigned clients;
	struct client client[CLIENTS];
} state = { .listener = -1, .epoll = -1 };

static int
control_socket_add(int op, int fd, uint32_t events, unsigned index)
{
	struct epoll_event e = { .events = events, .data.u32 = index };

	return epoll_ctl(state.epoll, op, fd, &e);
}

void
control_socket_begin(struct master *m)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		state.client[i].fd = -1;
	state.listener = m->admin_sockets.control;
	if (state.listener == -1)
		return;
	/* Those it accepts inherit it; see control_socket_receive_request(). */
	if (setsockopt(state.listener, SOL_SOCKET, SO_PASSCRED, &(int){ 1 },
		sizeof(int)) == -1)
		log_warn("control-socket %s: SO_PASSCRED",
		    m->admin_sockets.file.path);
	state.epoll = instances_make(m);
	if (state.epoll == -1 ||
	    control_socket_add(EPOLL_CTL_ADD, state.listener, EPOLLIN,
		CLIENTS) == -1)
		log_warn("control-socket %s", m->admin_sockets.file.path);
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
control_socket_may_ask(const struct master *m, int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	*uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid() ||
	    (m->config->control_socket_mode == 0660 &&
		control_socket_in_group(fd, &peer, getegid()));
}

static void
control_socket_refuse(int fd, const char *why)
{
	(void)!send(fd, why, strlen(why), MSG_DONTWAIT | MSG_NOSIGNAL);
	control_socket_part(fd);
}

/* Whether one more of `uid` may come: nobody else keeps an administrator out,
 * who may want to know what is going on. */
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

/* Take who waits. */
static void
control_socket_receive(struct master *m)
{
	for (unsigned n = 0; n < BATCH; n++) {
		static struct log_rate_limit backoff, shortages;
		unsigned missed;
		uid_t uid = (uid_t)-1;
		int fd = admin_sockets_accept(state.listener, NULL, NULL);

		if (fd == -1) {
			if (errno != EAGAIN && errno != ECONNABORTED &&
			    log_rate_limit(&shortages, &missed))
				log_warn("accept on control-socket %s",
				    m->admin_sockets.file.path);
			return;
		}
		if (control_socket_may_ask(m, fd, &uid)) {
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
control_socket_refill(struct client *c, const struct master *m)
{
	FILE *out;

	free(c->answer);
	c->answer = NULL;
	c->length = c->sent = 0;
	out = open_memstream(&c->answer, &c->length);
	if (out == NULL)
		return false;
	connections_more(&c->list, &m->arena, out);
	return fclose(out) == 0;
}

/* Send what the client takes now, a bounded part of it. */
static void
control_socket_answer(struct client *c, struct master *m)
{
	ssize_t n;

	if (c->sent == c->length && c->list.active &&
	    !control_socket_refill(c, m)) {
		control_socket_drop(c);
		return;
	}
	if (c->sent < c->length) {
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
	if (c->sent == c->length && !c->list.active)
		control_socket_drop(c);
}

static void
control_socket_say(struct client *c, const char *text)
{
	free(c->answer);
	c->answer = strdup(text);
	c->length = c->answer == NULL ? 0 : strlen(text);
}

static void
control_socket_execute(struct client *c, struct master *m)
{
	struct request r = { .m = m, .uid = c->uid, .list = &c->list };

	r.out = open_memstream(&c->answer, &c->length);
	if (r.out == NULL)
		return;
	commands_run(&r, c->request);
	if (fclose(r.out) != 0)
		control_socket_say(c, "error: out of memory\n");
}

/* The line is complete: `end` is where its newline was. */
static void
control_socket_asked(struct client *c, struct master *m, char *end)
{
	bool text = true;

	if (end > c->request && end[-1] == '\r')
		end--;
	*end = '\0';
	for (const char *p = c->request; p < end; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			text = false;
	c->answering = true;
	if (text)
		control_socket_execute(c, m);
	else
		control_socket_say(c,
		    "error: the request is not a line of text\n");
}

/*
 * As recv(2), but only what was said by who was let in.  A worker that an
 * attacker has taken over can close the descriptor and put a client of its own
 * in its place, between any two calls of ours; so who speaks is told by the
 * same call that reads what is said.
 */
static ssize_t
control_socket_receive_request(struct client *c)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = { c->request + c->got, sizeof(c->request) - c->got };
	struct msghdr msg = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct ucred said = { 0, (uid_t)-1, (gid_t)-1 };

	if (n <= 0)
		return n;
	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_CREDENTIALS)
		memcpy(&said, CMSG_DATA(header), sizeof(said));
	if (said.uid == c->uid || said.uid == 0 || said.uid == geteuid())
		return n;
	errno = EPERM;
	return -1;
}

static void
control_socket_listen_to(struct client *c, struct master *m)
{
	ssize_t n = control_socket_receive_request(c);
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
		control_socket_asked(c, m, end);
	else if (c->got == sizeof(c->request)) {
		c->answering = true;
		control_socket_say(c,
		    "error: the request is longer than 1023 bytes\n");
	} else
		return;
	if (control_socket_add(EPOLL_CTL_MOD, c->fd, EPOLLOUT,
		(unsigned)(c - state.client)) == -1)
		control_socket_drop(c);
	else
		control_socket_answer(c, m);
}

static void
control_socket_expire(void)
{
	uint64_t now = clock_ms();

	for (unsigned i = 0; i < CLIENTS; i++)
		if (state.client[i].fd != -1 && now >= state.client[i].expires)
			control_socket_drop(&state.client[i]);
}

void
control_socket_step(struct master *m)
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
			control_socket_receive(m);
		/* Gone by an event before, or put there by somebody else. */
		else if (number > CLIENTS || c->fd == -1)
			continue;
		else if (c->answering)
			control_socket_answer(c, m);
		else
			control_socket_listen_to(c, m);
	}
	if (state.clients > 0)
		control_socket_expire();
}

uint64_t
control_socket_next(void)
{
	uint64_t next = CLOCK_NEVER;

	for (unsigned i = 0; state.clients > 0 && i < CLIENTS; i++)
		if (state.client[i].fd != -1)
			next = clock_earlier(next, state.client[i].expires);
	return next;
}
