/* SPDX-License-Identifier: ISC */
/*
 * Addresses of `bind` that this machine did not have when it was asked.
 */
#ifndef ECHOD_MASTER_LISTENERS_LATE_H
#define ECHOD_MASTER_LISTENERS_LATE_H

#include <stdint.h>

#include "config/config.h"
#include "config/addresses.h"
#include "shared/service.h"

struct late {
	uint64_t look_at; /* clock_ms(); CLOCK_NEVER: nothing is missing */
};

/*
 * If a look is due, see whether an address of `wanted` that was missing has
 * come.  The caller does not call this during a stop or a reload, nor while
 * dropped listeners are open.
 *
 * Most missing addresses have a listener already, because the kernel allows a
 * bind before the address is there (IP_FREEBIND, ip(7)).  Clients of such a
 * listener are served from the first moment, without a privilege and without a
 * netlink socket; here the address is only noticed and logged.  An address
 * that could not be bound even so, such as one of a missing interface, gets
 * its listener here.
 */
void late_step(struct late *late, const struct arena *a,
    struct service_state *s, const struct config *c,
    const struct addresses *wanted);

/* When the next look is due, clock_ms(). */
uint64_t late_next(const struct late *late);

#endif
