/* SPDX-License-Identifier: ISC */
/*
 * The counters, each written once: its place in memory, and its names in the
 * metrics, in JSON and in lists.
 *
 * SLOT_COUNTERS(X) has a row for each counter that workers write.
 *
 *   X(member, metric, help, worker_metric, worker_help, key, title, letter)
 *
 *   member		in struct slot_counters, struct totals, struct sample
 *   metric, help	of the sum over all workers; echod_ comes before it, and
 *			echod_service_ before that of each service
 *   worker_metric, worker_help
 *			of each worker
 *   key		in JSON; in capitals, the head of a column
 *   title, letter
 *		the column of echoctl's top, which is per second, and the key
 *		that sorts by it
 *
 * SERVICE_COUNTERS(X) has a row for each counter that the master writes.
 *
 *   X(member, metric, label, value, help, key)
 *
 *   member	in struct service_totals
 *   label, value
 *		the metric's label, or NULL.  Rows of the same metric stand
 *		together, and the first of them has the help.
 */
#ifndef ECHOD_SHARED_COUNTERS_H
#define ECHOD_SHARED_COUNTERS_H

#include <stdint.h>

/* clang-format off */
#define SLOT_COUNTERS(X) \
	X(accepted, \
	    "connections_accepted_total", \
	    "Connections ever let in.", \
	    "worker_accepted_total", \
	    "Connections a worker has let in.", \
	    "accepted", "ACCEPT/s", 'a') \
	X(echoes, \
	    "echoes_total", \
	    "Replies sent; lines that leave together are one.", \
	    "worker_echoes_total", \
	    "Replies a worker has sent.", \
	    "echoes", "ECHO/s", 'e') \
	X(rx, \
	    "received_bytes_total", \
	    "Bytes received from clients.", \
	    "worker_received_bytes_total", \
	    "Bytes a worker has received.", \
	    "in", "IN B/s", 'i') \
	X(tx, \
	    "sent_bytes_total", \
	    "Bytes sent to clients.", \
	    "worker_sent_bytes_total", \
	    "Bytes a worker has sent.", \
	    "out", "OUT B/s", 'o')

#define SERVICE_COUNTERS(X) \
	X(recoveries, "recoveries_total", NULL, NULL, \
	    "Deaths of workers that connections outlived.", \
	    "recoveries") \
	X(takeovers, "takeovers_total", NULL, NULL, \
	    "Deaths of the master that connections outlived.", \
	    "takeovers") \
	X(saved, "connections_saved_total", "from", "death", \
	    "Connections that outlived their process, by what ended it.", \
	    "saved") \
	X(kept, "connections_saved_total", "from", "reload", \
	    NULL, \
	    "kept") \
	X(reloads, "reloads_total", NULL, NULL, \
	    "Reloads.", \
	    "reloads") \
	X(reloads_refused, "reloads_refused_total", NULL, NULL, \
	    "Reloads that were refused or given back.", \
	    "reloads_refused") \
	X(closed, "connections_closed_by_request_total", NULL, NULL, \
	    "Connections closed by an administrator.", \
	    "closed_by_request")
/* clang-format on */

/* Members of a structure. */
#define COUNTER_ATOMIC(member, ...) _Atomic uint64_t member;
#define COUNTER_MEMBER(member, ...) uint64_t member;

#endif
