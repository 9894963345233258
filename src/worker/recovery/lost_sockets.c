/* SPDX-License-Identifier: ISC */
/*
 * Lost sockets: the search through all descriptors.
 */
#include "worker/recovery/lost_sockets.h"

#include <errno.h>
#include <sys/socket.h>

#include "worker/connection/accept.h"
#include "worker/connection/admission.h"
#include "worker/connection/close.h"
#include "worker/connection/tcp_info.h"

bool
lost_sockets_is_client(const struct worker *w, int fd)
{
	const struct arena_header *h = w->arena->header;
	int listening = 1;
	socklen_t len = sizeof(listening);
	uint16_t port;

	/* A listener that a drain has shut does not report SO_ACCEPTCONN. */
	for (unsigned i = 0; i < arena_open_listeners(w->arena); i++)
		if (fd == h->listener[i].fd)
			return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 ||
	    listening != 0)
		return false;
	port = tcp_info_local_port(fd);
	for (unsigned i = 0; i < arena_open_listeners(w->arena); i++)
		if (port != 0 && port == tcp_info_local_port(h->listener[i].fd))
			return true;
	return false;
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

		accept_enter(w, fd, &peer, w->number, false);
		close_connection(w, fd, CLOSE_RESET, error);
		return false;
	}
	/* The same as for a client that is accepted, but for accept-rate: the
	 * dead worker may have counted the client there. */
	why = admission_denies(worker_service(w, NULL), &peer);
	if (why == NULL) {
		why = admission_crowds(w, fd, &peer, false);
		reason = CLOSE_LIMIT;
	}
	accept_enter(w, fd, &peer, w->number, false);
	if (why == NULL)
		return true;
	admission_report(w, &peer, why, "");
	close_connection(w, fd, reason, 0);
	return false;
}

/*
 * Claim the record of `fd` if `fd` is lost.  A socket that a living worker has
 * accepted a moment ago looks the same.  So both claim the record by compare
 * and swap, and the second one leaves it alone.
 */
static bool
lost_sockets_claim(struct worker *w, int fd)
{
	struct connection *c = worker_connection(w, fd);

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

int
lost_sockets_next(struct worker *w, int fd)
{
	for (; fd < (int)arena_descriptors(w->arena); fd++)
		if (lost_sockets_claim(w, fd))
			return fd;
	return -1;
}
