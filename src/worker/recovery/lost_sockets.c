/* SPDX-License-Identifier: ISC */
/*
 * Sockets that a death left in no record.
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

	/* One that a drain has shut no longer says that it is one. */
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

void
lost_sockets_enter(struct worker *w, int fd, struct recovered *r)
{
	enum close_reason reason = CLOSE_DENIED;
	struct peer peer;
	const char *why;

	/* Who died may not have come to it. */
	tcp_info_hear(fd);
	worker_connection(w, fd)->cookie = tcp_info_cookie(fd);
	atomic_fetch_add(&w->slot->held, 1);
	/* It has gone again; and no rule could be asked about one that has no
	 * address. */
	if (lost_sockets_peer_of(fd, &peer) == -1) {
		int error = errno;

		accept_enter(w, fd, &peer, w->number, false);
		close_connection(w, fd, CLOSE_RESET, error);
		r->closed++;
		return;
	}
	/* What the worker before did not come to; but for the rate, which it
	 * may have come to. */
	why = admission_denies(w->config, &peer);
	if (why == NULL) {
		why = admission_crowds(w, fd, &peer, false);
		reason = CLOSE_LIMIT;
	}
	accept_enter(w, fd, &peer, w->number, false);
	if (why != NULL) {
		admission_report(w, &peer, why, "");
		close_connection(w, fd, reason, 0);
		r->closed++;
	} else
		r->kept++;
}

/*
 * A worker died between accept4(2) and the record.  Whose socket is in no
 * record?  One that a living worker has accepted this moment looks the same,
 * so claiming is a compare-and-swap for it as for us: who comes second lets
 * go.
 */
void
lost_sockets_find(struct worker *w, struct recovered *r)
{
	for (int fd = 0; fd < (int)arena_descriptors(w->arena); fd++) {
		struct connection *c = worker_connection(w, fd);
		bool ours = false;

		while (!ours) {
			uint32_t word = connection_word(c);

			if (owner_state(word) != CONN_FREE &&
			    owner_state(word) != CONN_CLOSING)
				break;
			if (!connection_vacant(c, word, tcp_info_cookie(fd)) ||
			    !lost_sockets_is_client(w, fd))
				break;
			accept_note(w->arena, fd);
			/* May fail because who closed the number's former
			 * socket says FREE now: look again. */
			ours = connection_claim(c, word, w->number);
		}
		if (ours)
			lost_sockets_enter(w, fd, r);
	}
}
