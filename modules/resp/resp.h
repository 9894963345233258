/* SPDX-License-Identifier: ISC */
/*
 * What the files of this module have in common: the state of a connection, and
 * one step.
 */
#ifndef ECHOD_MODULES_RESP_H
#define ECHOD_MODULES_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echod/handler.h"

/* The commands are those of this version of Redis. */
#define RESP_VERSION "7.2.0"
/* A line of a request may be so long, in bytes; as in Redis. */
#define RESP_IN_MAX ECHOD_IN_LIMIT
/* No reply is longer, except a message. */
#define RESP_REPLY_MAX 16384
/* A step fills in at most so much, and goes on while one more reply fits. */
#define RESP_OUT_MAX (2 * RESP_REPLY_MAX)
/* An argument that is longer is consumed in pieces.  A shorter one is consumed
 * when all of it has arrived, so its command has all its effect at once. */
#define RESP_WHOLE_MAX 4096
/* Of each argument so many bytes are kept until its command is complete, ... */
#define RESP_KEEP_MAX 128
/* ... of so many arguments, ... */
#define RESP_ARGUMENTS_MAX 48
/* ... in so much room, which is enough for each error that cites them. */
#define RESP_TEXT_MAX 512
#define RESP_NAME_MAX 128
#define RESP_LIBRARY_MAX 64
#define RESP_DATABASES 16

enum resp_silence {
	RESP_HEARD = 0,
	RESP_SKIP_NEXT, /* CLIENT REPLY SKIP was this command */
	RESP_SKIP,	/* ... the last one */
	RESP_OFF	/* CLIENT REPLY OFF */
};

struct resp_state {
	uint64_t id, opened_ms;
	int64_t bulk;	  /* bytes that are left of the argument and its CRLF;
			   * -1: its length comes next */
	int32_t missing;  /* arguments of the command that are still to come */
	int32_t arguments; /* of the command in all */
	uint32_t sent;	  /* bytes of the inline message that were sent */
	uint16_t text_used;
	uint8_t protocol; /* 2, 3 */
	uint8_t database;
	uint8_t silence; /* enum resp_silence */
	uint8_t pieces;	 /* the argument is consumed in pieces */
	/* The start of each argument, as a string, one after the other. */
	uint8_t kept; /* arguments */
	uint8_t length[RESP_ARGUMENTS_MAX];
	uint64_t cut; /* bit n: argument n is longer than that */
	char text[RESP_TEXT_MAX];
	char name[RESP_NAME_MAX + 1];
	char library[RESP_LIBRARY_MAX + 1];
	char library_version[RESP_LIBRARY_MAX + 1];
};

/* One step. */
struct resp {
	struct echod_step *step; /* `consume` and `write` are the positions */
	struct resp_state *state;
	bool full; /* a reply did not fit */
};

/* What the parts of a step answer: an enum echod_next, or that the step goes
 * on. */
#define RESP_ON (-1)

#endif
