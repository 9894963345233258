/* SPDX-License-Identifier: ISC */
/*
 * What the service manager has been told: struct notify, which notify.c owns.
 */
#ifndef ECHOD_MASTER_NOTIFY_STATE_H
#define ECHOD_MASTER_NOTIFY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "lib/log.h"

#define NOTIFY_REMARK_BYTES 1024
#define NOTIFY_STATUS_BYTES 2048

/* Times are clock_ms(). */
struct notify {
	bool enabled;
	bool ready, stopping; /* the manager has been told so */
	unsigned workers;     /* last seen; 0: not yet */
	char remark[NOTIFY_REMARK_BYTES];
	char status[NOTIFY_STATUS_BYTES]; /* last told */
	uint64_t extend_at;		  /* next request for more time */
	uint64_t period;		  /* of WatchdogSec, ms; 0: none */
	uint64_t feed_at;		  /* next WATCHDOG=1 */
	uint64_t served;		  /* some worker served then */
	uint64_t heartbeat[CONFIG_WORKERS_MAX]; /* last seen, by slot */
	struct log_rate_limit rate_limit;	/* of the warning */
};

#endif
