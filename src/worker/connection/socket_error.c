/* SPDX-License-Identifier: ISC */
/*
 * What the error of a recv(2) or send(2) means for its connection.
 */
#include "worker/connection/socket_error.h"

#include <errno.h>

#include "worker/connection/close.h"

bool
socket_error_passes(struct worker *w, const struct connection *c,
    const char *what)
{
	unsigned missed;

	if (errno == EAGAIN || errno == EINTR)
		return true;
	if (errno != ENOBUFS && errno != ENOMEM)
		return false;
	if (log_rate_limit(&w->shortages, &missed))
		log_warn("%s %s: will try again; %u more unlogged", what,
		    worker_client_name(w, c), missed);
	return true;
}

void
socket_error_close(struct worker *w, int fd, int error)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ECONNABORTED:
	case ENOTCONN:
		close_connection(w, fd, CLOSE_RESET, error);
		break;
	default:
		close_connection(w, fd, CLOSE_ERROR, error);
	}
}
