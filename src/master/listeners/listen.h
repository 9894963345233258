/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets of the service.
 *
 *                 passed, or bound
 *      wanted ----------------------> open ---------+
 *        |                             ^ |          |
 *        | bound with IP_FREEBIND      | | reload   | stop
 *        v              address comes  | | without  v
 *      LISTENER_ABSENT ----------------+ | it     shut by each worker when it
 *                                        v        drains, closed at the end
 *                                     dropped
 *                                        | queue is empty, or 3.3 s are over
 *                                        v
 *                                     closed
 *
 * A reload that keeps an address keeps its listener with its queue.
 */
#ifndef ECHOD_MASTER_LISTENERS_LISTEN_H
#define ECHOD_MASTER_LISTENERS_LISTEN_H

#include "config/config.h"
#include "config/addresses.h"
#include "shared/service.h"

/* The numbers of services: by them listeners, counters and workers know the
 * services of a configuration, over reloads. */
struct listen_numbers {
	uint8_t of[CONFIG_SERVICES_MAX]; /* config.service[] */
};

/* The numbers that the table of handlers has for the services of `c`.  It is
 * empty at a start, and numbers them in their order. */
void listen_number(const struct handler_table *t, const struct config *c,
    struct listen_numbers *n);

/*
 * Have a listener in the arena for each address of each service.
 *
 * Listeners that are open stay, with their queues, and get the new settings.
 * Listeners that are not wanted any more are listed as dropped, and stay open.
 * Sockets that were passed to the program are taken (inherit.h).  An address
 * that is optional and missing gets a listener if the system allows it, else it
 * is tried again later (late.h).
 *
 * `known` is what the check of a reload resolved names to, or NULL.  `wanted`
 * gets the addresses, and the service state the names of the services.
 * Returns 0, or -1 with the reason logged ("bind 0.0.0.0:6379: Address already
 * in use") and the arena unchanged.
 */
int listen_open(const struct arena *a, struct service_state *o,
    const struct config *c, const struct listen_numbers *n,
    const struct resolved *known, struct addresses *wanted);

/* Keep the listeners that are open, whatever `bind` says, with the settings of
 * their services in `c`. */
void listen_keep(const struct arena *a, struct service_state *o,
    const struct config *c, const struct listen_numbers *n);

/*
 * Give the answer of listen_open() by the same steps, and change nothing.
 *
 * For the check of a reload, `names` are the `n` listeners of the service,
 * which shares its ports with this process (listen_share()).  For a test before
 * a start, `names` is NULL: an address in use is no error then, since the
 * service itself may use it, and what a start would log is logged as a warning.
 * `resolved` gets what names stand for.  Returns 0, or -1 with a reason in
 * `why`.
 */
int listen_check(const char *const *names, unsigned n, const struct config *c,
    struct resolved *resolved, char *why, size_t size);

/* Let the check of a reload, and no other user's process, bind to our ports; or
 * forbid it. */
void listen_share(const struct service_state *o, bool yes);

/* Give the sockets to another user, whose processes can then share their
 * ports. */
void listen_give(const struct service_state *o, unsigned uid, unsigned gid);

/* The listeners at one time, and back to them: listeners that were opened since
 * are closed. */
struct listen_state {
	uint32_t listeners, dropped;
	struct listener listener[2 * ARENA_LISTENERS_MAX];
};
struct listen_state listen_save(const struct service_state *o);
void listen_restore(const struct arena *a, struct service_state *o,
    const struct listen_state *s);

/* Let no new handshake begin at a dropped listener; handshakes that have begun
 * may end. */
void listen_drop_syns(const struct service_state *o);

/* Close the dropped listeners.  No process may be watching them. */
void listen_drop(const struct arena *a, struct service_state *o);

/* Open a listener for an address of `wanted` that has none, if one can be
 * opened now.  It is stored in `l` and is not in the arena yet.  Returns false
 * if none can. */
bool listen_missing(const struct service_state *o, const struct config *c,
    const struct addresses *wanted, struct listener *l);

/* True if listen_missing() has an address to try. */
bool listen_misses(const struct service_state *o,
    const struct addresses *wanted);

/* Log what an operator should know: addresses that are not there, and a backlog
 * that the kernel cuts. */
void listen_report(const struct service_state *o, const struct config *c,
    const struct addresses *wanted);

/* The names of all listeners whose address is there, separated by blanks, with
 * their services; static storage. */
const char *listen_names(const struct service_state *o);

/* Show these names in the title of the master's process. */
void listen_announce(const struct service_state *o);

#endif
