/* SPDX-License-Identifier: ISC */
/*
 * Lost sockets: the search through all descriptors.
 */
#include "worker/recovery/lost_sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "worker/connection/accept.h"
#include "worker/connection/admission.h"
#include "worker/connection/close.h"
#include "worker/connection/tcp_info.h"

static struct peer
lost_sockets_local(int fd)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	struct peer p;

	(void)getsockname(fd, (struct sockaddr *)&ss, &len);
	peer_from_sockaddr(&p, &ss);
	return p;
}

/*
 * How well the listener at `l` fits a socket at `s`: 0 not at all, 1 by the
 * port.  An address is a better sign: a listener on every address has a port to
 * itself only if no other listener has the socket's address.
 */
static int
lost_sockets_fit(const struct peer *l, const struct peer *s)
{
	if (l->port == 0 || l->port != s->port)
		return 0;
	return l->family == s->family &&
		memcmp(l->address, s->address, sizeof(l->address)) == 0
	    ? 2
	    : 1;
}

/* The index of the listener that `fd` was accepted from; -1 if there is
 * none. */
static int
lost_sockets_listener(const struct worker *w, int fd)
{
	const struct arena_header *h = w->arena->header;
	int listening = 1, best = -1, best_fit = 0, fit;
	socklen_t len = sizeof(listening);
	struct peer here, there;

	/* A listener that a drain has shut does not report SO_ACCEPTCONN. */
	for (unsigned i = 0; i < arena_open_listeners(w->arena); i++)
		if (fd == h->listener[i].fd)
			return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 ||
	    listening != 0)
		return -1;
	here = lost_sockets_local(fd);
	for (unsigned i = 0; i < arena_open_listeners(w->arena); i++) {
		there = lost_sockets_local(h->listener[i].fd);
		if ((fit = lost_sockets_fit(&there, &here)) > best_fit) {
			best_fit = fit;
			best = (int)i;
		}
	}
	return best;
}

bool
lost_sockets_is_client(const struct worker *w, int fd)
{
	return lost_sockets_listener(w, fd) != -1;
}

static int
lost_sockets_peer_of(int fd, struct peer *peer)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	int r = getpeername(fd, (struct sockaddr *)&ss, &len);

	peer_from_sockaddr(peer, &ss);
	return r;
}

bool
lost_sockets_enter(struct worker *w, int fd)
{
	enum close_reason reason = CLOSE_DENIED;
	int listener = lost_sockets_listener(w, fd);
	unsigned entry = worker_listener_entry(w,
	    listener != -1 ? (unsigned)listener : 0);
	struct peer peer;
	const char *why;

	/* The dead worker may not have done this. */
	tcp_info_hear(fd);
	worker_connection(w, fd)->cookie = tcp_info_cookie(fd);
	atomic_fetch_add(&w->slot->held, 1);
	/* The client has gone again.  It has no address, so no rule applies to
	 * it. */
	if (lost_sockets_peer_of(fd, &peer) == -1) {
		int error = errno;

		accept_enter(w, fd, &peer, entry, w->number, false);
		close_connection(w, fd, CLOSE_RESET, error);
		return false;
	}
	/* The same as for a client that is accepted, but for accept-rate: the
	 * dead worker may have counted the client there. */
	why = admission_denies(w->handler[entry].service, &peer);
	if (why == NULL) {
		why = admission_crowds(w, fd, &peer, entry, false);
		reason = CLOSE_LIMIT;
	}
	accept_enter(w, fd, &peer, entry, w->number, false);
	if (why == NULL)
		return true;
	admission_report(w, worker_peer_name(w, &peer, entry), why, "");
	close_connection(w, fd, reason, 0);
	return false;
}

/*
 * A socket that a living worker has accepted a moment ago looks the same.  So
 * both claim the record by compare and swap, and the second one leaves it
 * alone.
 */
bool
lost_sockets_claim(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

	/* The records from the end on were never used, and have no page. */
	if ((unsigned)fd >= arena_end(w->arena) && tcp_info_cookie(fd) == 0)
		return false;
	for (;;) {
		uint32_t word = connection_word(c);

		if ((owner_state(word) != CONN_FREE &&
			owner_state(word) != CONN_CLOSING) ||
		    !connection_vacant(c, word, tcp_info_cookie(fd)) ||
		    !lost_sockets_is_client(w, fd))
			return false;
		accept_note(w->arena, fd);
		/* This fails, too, if the worker that closed the number's
		 * former socket has just stored FREE: look again. */
		if (connection_claim(c, word, w->number))
			return true;
	}
}
