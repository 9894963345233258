/*
 * Taking over a slot: whatever a predecessor left in it goes on.
 *
 * Every connection of the slot is as its record says, but for the one that
 * the slot names as its operation in progress.
 */
#include "worker/recover.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/close.h"
#include "worker/hot.h"

/* The close may or may not have happened, and the number may be another
 * connection's by now: the cookie names the socket itself. */
static void
settle_close(const struct operation *op)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(op->fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 &&
	    cookie == op->cookie)
		close(op->fd);
}

unsigned
recover(struct worker *w)
{
	struct operation *op = &w->slot->op;
	uint32_t kind = atomic_load(&op->kind);
	uint32_t mine = w->number + 1;
	int doubtful = kind == OP_SERVE ? op->fd : -1;
	unsigned n = 0;

	atomic_compare_exchange_strong(&w->arena->header->admission, &mine, 0);
	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	    fd = arena_next(w->arena, w->number, fd + 1)) {
		worker_connection(w, fd)->hot = CONNECTION_NOT_HOT;
		n++;
	}
	atomic_store(&w->slot->held, n);
	if (kind == OP_CLOSE)
		settle_close(op);
	atomic_store(&op->kind, OP_NONE);
	for (int fd = arena_next(w->arena, w->number, 0); fd != -1;
	    fd = arena_next(w->arena, w->number, fd + 1)) {
		struct connection *c = worker_connection(w, fd);

		if (fd == doubtful || !connection_sane(c))
			close_connection(w, fd, CLOSE_ERROR, EOWNERDEAD);
		else if ((c->flags & CONN_PARKED) == 0 &&
		    hot_add(w, fd) == -1)
			close_connection(w, fd, CLOSE_ERROR, ENOMEM);
	}
	return n;
}
