/*
 * The listening sockets.
 *
 * Options are set on the listener, from which accepted sockets inherit them:
 * nothing need be set per client.
 */
#include "master/listen.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/log.h"

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* As Redis does: the first probe after `idle` s of silence, the client given
 * up after three more at a third of it each. */
static int
set_keepalive(int fd, unsigned idle)
{
	int interval = idle / 3 > 0 ? (int)(idle / 3) : 1;

	if (idle == 0)
		return set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) == -1)
		return -1;
	return 0;
}

/* A listening socket, or -1 with errno set and the failed call in `call`.
 * With `share`, others of ours on the same port do not stand in its way. */
static int
open_one(const struct addrinfo *ai, const struct config *c, bool share,
    const char **call)
{
	int fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*call = "socket";
	if (fd == -1)
		return -1;
	*call = "setsockopt";
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    (!share || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0) &&
	    set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
	    /* Urgent bytes are bytes: the kernel counts them as received. */
	    set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == 0 &&
	    (ai->ai_family != AF_INET6 ||
	    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0) &&
	    set_keepalive(fd, c->tcp_keepalive) == 0) {
		*call = "bind";
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
			*call = "listen";
			if (listen(fd, (int)c->tcp_backlog) == 0)
				return fd;
		}
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Errors that "-" before an address forgives, as in Redis: the machine does
 * not have it.  An address in use is always an error. */
static bool
not_available(int error)
{
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT ||
	    error == EPROTONOSUPPORT || error == EPROTO ||
	    error == ENOPROTOOPT;
}

static void
name_listener(char *name, size_t size, const char *host, unsigned port)
{
	snprintf(name, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u",
	    host, port);
}

/* The listener called `name`, or NULL. */
static struct listener *
find(struct listener *l, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(l[i].name, name) == 0)
			return &l[i];
	return NULL;
}

/* A numeric address for bind(2), to be freed; NULL with a reason logged. */
static struct addrinfo *
resolve(const struct bind_address *address, const struct config *c)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE |
		AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", c->port);
	error = getaddrinfo(address->host, port, &hints, &ai);
	if (error == 0)
		return ai;
	log_warnx("bind %s port %s: %s", address->host, port,
	    gai_strerror(error));
	return NULL;
}

static bool
same_port(const char *name, unsigned port)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL && strtoul(colon + 1, NULL, 10) == port;
}

/*
 * Listeners on 0.0.0.0 and on one address of the same port exclude each other
 * unless both share it (SO_REUSEPORT, socket(7)); the option may be set on one
 * that listens already.  Returns true if there is one of ours that may stand
 * in the way.
 */
static bool
let_share(const struct listener *l, unsigned n, unsigned port)
{
	bool any = false;

	for (unsigned i = 0; i < n; i++)
		if (same_port(l[i].name, port) &&
		    set(l[i].fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0)
			any = true;
	return any;
}

/*
 * Open the address `l` is named for; `old` are the `n` listeners there are.
 * Returns 0, 1 if the address was skipped, or -1 with a reason logged.
 */
static int
open_address(struct listener *l, const struct bind_address *address,
    const struct config *c, const struct listener *old, unsigned n)
{
	struct addrinfo *ai = resolve(address, c);
	const char *call;
	int error;

	if (ai == NULL)
		return -1;
	l->fd = open_one(ai, c, false, &call);
	if (l->fd == -1 && errno == EADDRINUSE && let_share(old, n, c->port))
		l->fd = open_one(ai, c, true, &call);
	error = errno;
	freeaddrinfo(ai);
	errno = error;
	if (l->fd != -1)
		return 0;
	if (address->optional && not_available(error))
		return 1;
	log_warn("%s %s", call, l->name);
	return -1;
}

/* What can be changed of one that is open.  A failure costs no more than a
 * setting, and is said. */
static void
adjust(const struct listener *l, const struct config *c)
{
	if (set_keepalive(l->fd, c->tcp_keepalive) == -1 ||
	    listen(l->fd, (int)c->tcp_backlog) == -1)
		log_warn("%s keeps its former settings", l->name);
}

/* The listeners as they shall be, while they are being collected. */
struct collection {
	struct listener old[2 * ARENA_LISTENERS_MAX];	/* not wanted, so far */
	unsigned olds;
	struct listener wanted[2 * ARENA_LISTENERS_MAX];
	bool opened[ARENA_LISTENERS_MAX];	/* just now */
	unsigned count;
};

static void
keep(struct collection *s, struct listener *kept)
{
	s->wanted[s->count] = *kept;
	s->opened[s->count++] = false;
	*kept = s->old[--s->olds];
}

/* Returns 0, or -1 with a reason logged. */
static int
collect(struct collection *s, const struct bind_address *address,
    const struct config *c)
{
	struct listener *l = &s->wanted[s->count], *kept;
	int r;

	name_listener(l->name, sizeof(l->name), address->host, c->port);
	kept = find(s->old, s->olds, l->name);
	if (kept != NULL) {
		keep(s, kept);
		return 0;
	}
	r = open_address(l, address, c, s->old, s->olds);
	if (r == 0)
		s->opened[s->count++] = true;
	return r == -1 ? -1 : 0;
}

struct listen_state
listen_save(const struct arena *a)
{
	struct listen_state s = { .listeners = a->own->listeners,
		.dropped = a->own->dropped };

	memcpy(s.listener, a->own->listener, sizeof(s.listener));
	return s;
}

int
listen_open(const struct arena *a, const struct config *c)
{
	struct arena_own *o = a->own;
	struct collection s;
	bool failed = false;

	memset(&s, 0, sizeof(s));
	s.olds = o->listeners + o->dropped;
	/* What a reload drops has gone before the next one. */
	if (s.olds > ARENA_LISTENERS_MAX) {
		log_warnx("bind: there are %u listeners already", s.olds);
		return -1;
	}
	memcpy(s.old, o->listener, sizeof(s.old));
	for (unsigned i = 0; i < c->bind.count && !failed; i++)
		failed = collect(&s, &c->bind.address[i], c) == -1;
	if (!failed && s.count == 0) {
		log_warnx("bind: none of the %u addresses is available",
		    c->bind.count);
		failed = true;
	}
	for (unsigned i = 0; i < s.count; i++)
		if (!s.opened[i])
			adjust(&s.wanted[i], c);
		else if (failed)
			close(s.wanted[i].fd);
	if (failed)
		return -1;
	memcpy(o->listener, s.wanted, s.count * sizeof(s.wanted[0]));
	memcpy(o->listener + s.count, s.old, s.olds * sizeof(s.old[0]));
	o->listeners = s.count;
	o->dropped = s.olds;
	arena_publish(a);
	return 0;
}

void
listen_restore(const struct arena *a, const struct listen_state *s)
{
	const struct arena_own *o = a->own;
	struct listen_state before = *s;

	for (unsigned i = 0; i < o->listeners + o->dropped; i++)
		if (find(before.listener, s->listeners + s->dropped,
		    o->listener[i].name) == NULL)
			close(o->listener[i].fd);
	memcpy(a->own->listener, s->listener, sizeof(s->listener));
	a->own->listeners = s->listeners;
	a->own->dropped = s->dropped;
	arena_publish(a);
}

void
listen_deafen(const struct arena *a)
{
	const struct listen_state s = listen_save(a);
	/* A socket filter sees the TCP header first: SYN without ACK goes, so
	 * that the client tries again in a second, elsewhere if need be. */
	static struct sock_filter no_syn[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
		sizeof(no_syn) / sizeof(no_syn[0]), no_syn
	};

	for (unsigned i = s.listeners; i < s.listeners + s.dropped; i++)
		if (setsockopt(s.listener[i].fd, SOL_SOCKET, SO_ATTACH_FILTER,
		    &program, sizeof(program)) == -1)
			log_warn("%s: clients that come now may be reset",
			    s.listener[i].name);
}

void
listen_drop(const struct arena *a)
{
	const struct listen_state s = listen_save(a);

	for (unsigned i = s.listeners; i < s.listeners + s.dropped; i++) {
		log_notice("%s is listened on no longer", s.listener[i].name);
		close(s.listener[i].fd);
	}
	a->own->dropped = 0;
	arena_publish(a);
	atomic_store(&a->header->drop, DROP_NONE);
}

int
listen_probe(const char *const *names, unsigned n,
    const struct bind_address *address, const struct config *c, char *why,
    size_t size)
{
	char name[LISTENER_NAME];
	struct addrinfo *ai;
	bool ours = false;
	int fd, error;

	name_listener(name, sizeof(name), address->host, c->port);
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return 0;
		ours = ours || same_port(names[i], c->port);
	}
	if ((ai = resolve(address, c)) == NULL)
		return -1;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	error = fd == -1 || set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 ||
	    (ai->ai_family == AF_INET6 &&
	    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == -1) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ? errno : 0;
	freeaddrinfo(ai);
	if (fd != -1)
		close(fd);
	if (error == 0 || (address->optional && not_available(error)) ||
	    (ours && error == EADDRINUSE))
		return 0;
	snprintf(why, size, "bind %s: %s%s", name, strerror(error),
	    error == EACCES && c->port < 1024 ? "; ports below 1024 need root, "
	    "which was given up: restart" : "");
	return -1;
}

void
listen_report(const struct arena *a, const struct config *c)
{
	struct listen_state s = listen_save(a);
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
	unsigned most;

	for (unsigned i = 0; i < c->bind.count; i++) {
		char name[LISTENER_NAME];

		name_listener(name, sizeof(name), c->bind.address[i].host,
		    c->port);
		if (find(s.listener, s.listeners, name) == NULL)
			log_notice("bind %s: not available, skipped", name);
	}
	if (f == NULL)
		return;
	/* The kernel cuts the backlog to this without a word. */
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own int */
	if (fscanf(f, "%u", &most) == 1 && most < c->tcp_backlog)
		log_warnx("tcp-backlog %u: the kernel allows %u "
		    "(net.core.somaxconn)", c->tcp_backlog, most);
	fclose(f);
}

const char *
listen_names(const struct arena *a)
{
	static char names[ARENA_LISTENERS_MAX * sizeof(struct listener)];

	names[0] = '\0';
	for (unsigned i = 0; i < a->own->listeners; i++) {
		strlcat(names, i > 0 ? " " : "", sizeof(names));
		strlcat(names, a->own->listener[i].name, sizeof(names));
	}
	return names;
}
