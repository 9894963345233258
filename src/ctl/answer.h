/* SPDX-License-Identifier: ISC */
/*
 * Answers of the control socket: whether they are whole, and their JSON.
 */
#ifndef ECHOD_CTL_ANSWER_H
#define ECHOD_CTL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* How an answer ends, see shared/control_commands.h. */
enum answer_form {
	ANSWER_FRAMED, /* text and a NUL */
	ANSWER_LINE,   /* a line "ok: ..." or "error: ..." */
	ANSWER_JSON,   /* an array or object */
	ANSWER_LIST,   /* lines, of which the last one counts the others */
};

enum answer_state {
	ANSWER_WHOLE,
	ANSWER_CUT,	/* the start of an answer */
	ANSWER_FOREIGN, /* no answer of this form */
};

/* Judge the `len` bytes of `text`, which a NUL is behind; not for lists.  A
 * refusal is a whole answer in each form. */
enum answer_state answer_check(const char *text, size_t len,
    enum answer_form form);

/* The JSON of a whole answer, or NULL. */
json_t *answer_parse(const char *text);

/* The reason if an answer is a refusal, else NULL.  In text it is the rest of
 * the line, with its newline. */
const char *answer_error_text(const char *text);
const char *answer_error_json(const json_t *answer);

/* Print a failure: as JSON to standard output, or to standard error. */
void answer_print_error(const char *reason, bool json);

/* Print a whole answer; one that is a refusal as answer_print_error().  Returns
 * false if it is one. */
bool answer_print(const char *text, bool json);

/*
 * Reads members of an answer.  `wrong` says which was the first one that is
 * missing or is not of its type; it is empty if there is none.  Later reads go
 * on and return 0 or "".
 */
struct answer_reader {
	char wrong[80];
};

/* A number from 0 to 1e18. */
double answer_number(struct answer_reader *r, const json_t *object,
    const char *name);

bool answer_truth(struct answer_reader *r, const json_t *object,
    const char *name);

/* The string is as long-lived as `object`. */
const char *answer_string(struct answer_reader *r, const json_t *object,
    const char *name);

/* A member of JSON type `type`; NULL if there is none. */
const json_t *answer_member(struct answer_reader *r, const json_t *object,
    const char *name, json_type type);

/* Note that the answer as a whole is not `what`. */
void answer_mistake(struct answer_reader *r, const char *what);

#endif
