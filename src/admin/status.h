/* SPDX-License-Identifier: ISC */
/*
 * What answers to the administrator have in common: numbers gathered from the
 * arena, and how they are written.
 */
#ifndef ECHOD_ADMIN_STATUS_H
#define ECHOD_ADMIN_STATUS_H

#include <stdint.h>
#include <stdio.h>

#include "admin/row.h"
#include "admin/service_list.h"
#include "admin/view.h"
#include "shared/totals.h"

/* What the service is doing: "serving", "draining", "reloading",
 * "stopping". */
const char *status_mode(const struct view *v);

/* "ready", "starting" ...: what worker `k` is doing. */
const char *status_worker_state(const struct view *v, unsigned k);

/* How many connections listener `i` has waiting, and may have. */
void status_queue(const struct view *v, unsigned i, unsigned *waiting,
    unsigned *limit);

/* The values of the whole, of listener `i`, of a service and of worker `k`,
 * behind those of the row. */
void status_row(const struct view *v, const struct totals *c, struct row *r);
void status_listener_row(const struct view *v, unsigned i, struct row *r);
void status_service_row(const struct service_item *s, struct row *r);
void status_worker_row(const struct view *v, unsigned k, struct row *r);

/* What the last reload was like. */
void status_reload_row(const struct view *v, struct row *r);

/* The answer to "status" in JSON, as a value of what is open; and the
 * workers. */
void status_json(const struct view *v, const struct totals *c,
    struct json_writer *j, const char *key);
void status_workers_json(const struct view *v, struct json_writer *j,
    const char *key);

/* The pid of the standby, 0 if there is none. */
int32_t status_standby(const struct view *v);

/* How a death of a worker by signal `i` is called; 0: by none. */
const char *status_death(int i);

/* Write a duration as people say it: "3 d 04:05:06". */
void status_duration(FILE *out, uint64_t ms);

/* The answers to "status", "workers" and "config". */
void status_write(const struct view *v, FILE *out, bool json);
void status_workers(const struct view *v, FILE *out, bool json);
void status_config(const struct config *c, FILE *out, bool json);

#endif
