/* SPDX-License-Identifier: ISC */
/*
 * The state of a connection, one step, and what the files of this module have
 * in common.
 */
#ifndef ECHOD_MODULES_RESP_H
#define ECHOD_MODULES_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echod/handler.h"

/* The commands are those of this version of Redis. */
#define RESP_VERSION "7.2.0"
/* A line of a request is shorter than this, as in Redis: an inline command is
 * understood when all of it is there. */
#define RESP_IN_MAX 65536
/* No reply is longer, except a message. */
#define RESP_REPLY_MAX 8192
/* A step goes on while one more reply fits. */
#define RESP_OUT_MAX (2 * RESP_REPLY_MAX)
/* A longer argument is consumed in pieces.  A shorter one is consumed when all
 * of it has arrived, so that the reply leaves at once. */
#define RESP_WHOLE_MAX 4096
/* Until a command is complete, the state keeps so many bytes of an argument, so
 * many arguments, and so many bytes in all.  That is enough for each error that
 * cites them. */
#define RESP_KEEP_MAX 128
#define RESP_ARGUMENTS_MAX 48
#define RESP_TEXT_MAX 512

enum resp_silence {
	RESP_HEARD = 0,
	RESP_SKIP_NEXT, /* CLIENT REPLY SKIP is the command */
	RESP_SKIP,	/* ... was the last command */
	RESP_OFF	/* CLIENT REPLY OFF */
};

struct resp_state {
	uint64_t id, opened_ms;
	int64_t bulk;	   /* bytes left of the argument and its CRLF; -1: its
			    * length comes next */
	int32_t missing;   /* arguments of the command that are still to come */
	int32_t arguments; /* of the command, with its name */
	uint32_t sent;	   /* bytes of an inline message that were sent */
	uint8_t protocol;  /* 2, 3 */
	uint8_t database;
	uint8_t silence; /* enum resp_silence */
	uint8_t pieces;	 /* the argument is consumed in pieces */
	/* The arguments, each a string, one after the other. */
	uint64_t cut; /* bit n: not all of argument n is there */
	uint16_t text_used;
	uint8_t kept; /* arguments */
	uint8_t length[RESP_ARGUMENTS_MAX];
	char text[RESP_TEXT_MAX];
	/* What the client says of itself. */
	char name[RESP_KEEP_MAX + 1];
	char library[64], library_version[64];
};

/* One step.  In it, `consume` and `write` are the positions. */
struct resp {
	struct echod_step *step;
	struct resp_state *state;
	bool full; /* a reply did not fit */
};

/* A part of a step answers this if the step goes on, or an enum echod_next. */
#define RESP_ON (-1)

/* parse.c: consume the next item of the input, which is not empty. */
int parse_item(struct resp *r);

/* arguments.c: the arguments of a command.  One that the state does not keep is
 * "". */
void arguments_begin(struct resp_state *state, int32_t n);
void arguments_keep(struct resp_state *state, const char *data, size_t n);
const char *arguments_get(const struct resp_state *state, int n);
size_t arguments_length(const struct resp_state *state, int n);
bool arguments_cut(const struct resp_state *state, int n);
/* Argument `n` is this word, in letters of either case. */
bool arguments_is(const struct resp_state *state, int n, const char *word);
bool arguments_number(const struct resp_state *state, int n, int64_t *number);
/* A number as Redis reads it: no sign but "-", no needless zero. */
bool number_read(const char *text, size_t n, int64_t *number);

/* commands.c */
/* The command answers its last argument.  The parser does this by itself, since
 * such a message is of any length. */
bool commands_is_message(const struct resp_state *state);
int commands_execute(struct resp *r);
/* After each command, also an empty one. */
void commands_end(struct resp *r);

/* client.c: the commands about the connection. */
void client_open(struct resp *r);
void client_auth(struct resp *r);
void client_hello(struct resp *r);
void client_reset(struct resp *r);
void client_select(struct resp *r);
void client_getname(struct resp *r);
void client_id(struct resp *r);
void client_info(struct resp *r);
void client_list(struct resp *r);
void client_on_off(struct resp *r); /* NO-EVICT, NO-TOUCH: no effect */
void client_reply(struct resp *r);
void client_setinfo(struct resp *r);
void client_setname(struct resp *r);

/* reply.c: replies of each type, as the protocol of the connection has them.
 * If the client asked for silence, nothing is written. */
bool reply_silent(const struct resp *r);
void reply_bytes(struct resp *r, const char *data, size_t n);
void reply_raw(struct resp *r, const char *text); /* with its CRLF */
void reply_status(struct resp *r, const char *text);
/* "-ERR ..."; a text that begins with "-" has a code of its own.  CR and LF are
 * written as spaces, since arguments may be cited. */
void reply_error(struct resp *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void reply_integer(struct resp *r, int64_t n);
void reply_null(struct resp *r);
void reply_bulk_length(struct resp *r, size_t n); /* the bytes follow */
void reply_bulk(struct resp *r, const char *data, size_t n);
void reply_string(struct resp *r, const char *text);
void reply_text(struct resp *r, const char *text); /* for people */
void reply_array(struct resp *r, size_t n);
void reply_set(struct resp *r, size_t n);
void reply_map(struct resp *r, size_t pairs);

#endif
