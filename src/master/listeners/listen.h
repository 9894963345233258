/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets.
 */
#ifndef ECHOD_MASTER_LISTENERS_LISTEN_H
#define ECHOD_MASTER_LISTENERS_LISTEN_H

#include "config/config.h"
#include "config/addresses.h"
#include "shared/service.h"

/*
 * Have a listener in the arena for each address of `bind`.  Those that are
 * open stay, with their queues, and get the new settings; those that are not
 * wanted any more are listed as dropped, and still open.  Sockets that were
 * passed are taken (master/listeners/inherit.h).  An address that may be missing and is
 * gets a listener all the same if the system lets us, or is tried again
 * (master/listeners/late.h).  `known` is what the check resolved names to, or NULL.
 * Returns 0, or -1 with the reason logged ("bind 0.0.0.0:6379: Address already
 * in use") and nothing changed in the arena.
 */
int listen_open(const struct arena *a, struct service_state *o,
    const struct config *c, const struct resolved *known,
    struct addresses *wanted);

/* Keep those there are, whatever `bind` says, with the settings of `c`. */
void listen_keep(const struct arena *a, struct service_state *o,
    const struct config *c);

/*
 * The same verdict as listen_open()'s, by the same steps, with nothing changed:
 * for a process that may do what this one may, when listeners called `names`
 * are there already, in a service that has let us share its ports
 * (listen_share()).  `names` NULL: for a start; an address that somebody
 * listens on is no error then, since that may be the service itself, and what a
 * start would log is warned of.  `resolved` gets what names stand for.  Returns
 * 0, or -1 with a reason in `why`.
 */
int listen_check(const char *const *names, unsigned n, const struct config *c,
    struct resolved *resolved, char *why, size_t size);

/* Let the check of a reload, and nobody but our user, bind to our ports. */
void listen_share(const struct service_state *o, bool yes);

/* Have them belong to another user, so that it can share their ports. */
void listen_give(const struct service_state *o, unsigned uid, unsigned gid);

/* The listeners at one time, and back to them: those that were opened since
 * are closed. */
struct listen_state {
	uint32_t listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
};
struct listen_state listen_save(const struct service_state *o);
void listen_restore(const struct arena *a, struct service_state *o,
    const struct listen_state *s);

/* Have the dropped ones hear of no new client, while handshakes that have
 * begun may end. */
void listen_drop_syns(const struct service_state *o);

/* Close the dropped ones; no process may be watching them. */
void listen_drop(const struct arena *a, struct service_state *o);

/*
 * Open what may be missing and was, if it can be opened now, as listener
 * `l` that is not in the arena yet.  Returns false if nothing can.
 */
bool listen_missing(const struct service_state *o, const struct config *c,
    const struct addresses *wanted, struct listener *l);

/* True if listen_missing() has anything to try. */
bool listen_misses(const struct service_state *o,
    const struct addresses *wanted);

/* Log what an operator should know of them: addresses that are not there,
 * a backlog that the kernel cuts. */
void listen_report(const struct service_state *o, const struct config *c,
    const struct addresses *wanted);

/* The names of all whose addresses are there, separated by blanks; static
 * storage. */
const char *listen_names(const struct service_state *o);

/* Show these names in the title of the master's process. */
void listen_announce(const struct service_state *o);

#endif
