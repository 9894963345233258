/* SPDX-License-Identifier: ISC */
/*
 * The handlers of the scenes.  Each is small, and shows one thing that handlers
 * do.  Their output depends on the client's bytes alone, not on time and not on
 * how the input is cut: so one can tell from it that each byte had its effect
 * exactly once.
 */
#ifndef ECHOD_TESTS_MODEL_HANDLERS_H
#define ECHOD_TESTS_MODEL_HANDLERS_H

#include <stdbool.h>

#include "echod/handler.h"

/* The built-in ones, with a smaller in_max. */
extern struct echod_handler scene_echo, scene_raw, scene_discard;

extern const struct echod_handler scene_copy;	   /* echo by `write` */
extern const struct echod_handler scene_sum;	   /* a running checksum */
extern const struct echod_handler scene_sum_next;  /* another version of it */
extern const struct echod_handler scene_sum_small; /* and another */
extern const struct echod_handler scene_greeter;   /* speaks first */
extern const struct echod_handler scene_chargen;   /* by MORE */
extern const struct echod_handler scene_wide;	   /* holds most, by MORE */
extern const struct echod_handler scene_heartbeat; /* speaks now and then */
extern const struct echod_handler scene_later;	   /* holds, until a timer */
extern const struct echod_handler scene_tick;	   /* takes, until a timer */
extern const struct echod_handler scene_daytime;   /* greets and finishes */
extern const struct echod_handler scene_pieces;	   /* writes, then passes */
extern const struct echod_handler scene_quit;	   /* until the word */
extern const struct echod_handler scene_strict;	   /* resets, or errs */
extern const struct echod_handler scene_trailer;   /* speaks after EOF */

/* What scene_strict resets a connection for. */
#define STRICT_MARK '!'

/* Before any of them is used. */
void handlers_begin(void);

#define REFERENCE_MOST 160

/* What a handler makes of a client's bytes if nothing goes wrong. */
struct reference {
	char out[REFERENCE_MOST];
	size_t length;
	size_t left;   /* of the input */
	bool finished; /* by itself */
};

/* Let the handler have these bytes; `end`: no other will come. */
void reference_run(const struct echod_handler *h, const char *in, size_t n,
    bool end, struct reference *r);

#endif
