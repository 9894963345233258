/*
 * The listening sockets.
 */
#ifndef ECHOD_MASTER_LISTEN_H
#define ECHOD_MASTER_LISTEN_H

#include "config/config.h"
#include "state/arena.h"

/*
 * Have a listener in the arena for each configured address.  Those that are
 * open stay, with their queues, and get the new settings; those that are not
 * wanted any more are listed as dropped, and still open.  Returns 0, or -1
 * with the reason logged ("bind 0.0.0.0:6379: Address already in use") and
 * nothing changed in the arena.
 */
int listen_open(const struct arena *a, const struct config *c);

/* The listeners at one time, and back to them: those that were opened since
 * are closed. */
struct listen_state {
	uint32_t listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
};
struct listen_state listen_save(const struct arena *a);
void listen_restore(const struct arena *a, const struct listen_state *s);

/* Have the dropped ones hear of no new client, while handshakes that have
 * begun may end. */
void listen_deafen(const struct arena *a);

/* Close the dropped ones; no process may be watching them. */
void listen_drop(const struct arena *a);

/*
 * Whether `address` can be had by a process that may do what this one may,
 * when listeners called `names` are there already.  Returns 0, or -1 with a
 * reason in `why`.
 */
int listen_probe(const char *const *names, unsigned n,
    const struct bind_address *address, const struct config *c, char *why,
    size_t size);

/* Log what an operator should know of them: addresses skipped, a backlog that
 * the kernel cuts. */
void listen_report(const struct arena *a, const struct config *c);

/* All listeners' names, separated by blanks; static storage. */
const char *listen_names(const struct arena *a);

#endif
