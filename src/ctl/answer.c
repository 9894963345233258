/* SPDX-License-Identifier: ISC */
/*
 * Answers of the control socket: whether they are whole, and their JSON.
 *
 * An answer is not believed to be echod's, see message_clean().
 */
#include "ctl/answer.h"

#include <stdio.h>
#include <string.h>

#include "ctl/message.h"

/* More is no figure of echod; a double has each integer up to 2^53. */
#define FIGURE_MAX 1e18

static enum answer_state
answer_check_json(const char *text, size_t len)
{
	json_error_t error;
	json_t *answer = json_loadb(text, len, 0, &error);

	if (answer != NULL) {
		json_decref(answer);
		return ANSWER_WHOLE;
	}
	/* jansson takes some other faults for an early end. */
	return json_error_code(&error) == json_error_premature_end_of_input &&
		error.position >= (int)len
	    ? ANSWER_CUT
	    : ANSWER_FOREIGN;
}

/* "ok: 3 workers\n".  What begins like that is cut; all else is foreign. */
static enum answer_state
answer_check_line(const char *text, size_t len, const char *begin)
{
	size_t n = strlen(begin);

	if (strncmp(text, begin, len < n ? len : n) != 0)
		return ANSWER_FOREIGN;
	if (len <= n || memchr(text, '\n', len) == NULL)
		return ANSWER_CUT;
	return strcspn(text, "\n") + 1 == len ? ANSWER_WHOLE : ANSWER_FOREIGN;
}

enum answer_state
answer_check(const char *text, size_t len, enum answer_form form)
{
	enum answer_state refusal = answer_check_line(text, len, "error: ");
	size_t length = strlen(text);

	if (refusal == ANSWER_WHOLE)
		return refusal;
	if (form == ANSWER_JSON)
		return refusal == ANSWER_CUT ? refusal
					     : answer_check_json(text, len);
	if (form == ANSWER_FRAMED)
		return length == len	? ANSWER_CUT
		    : length + 1 == len ? ANSWER_WHOLE
					: ANSWER_FOREIGN;
	return refusal == ANSWER_CUT ? refusal
				     : answer_check_line(text, len, "ok: ");
}

json_t *
answer_parse(const char *text)
{
	return json_loads(text, 0, NULL);
}

const char *
answer_error_text(const char *text)
{
	static const char begin[] = "error: ";

	return strncmp(text, begin, sizeof(begin) - 1) == 0
	    ? text + sizeof(begin) - 1
	    : NULL;
}

const char *
answer_error_json(const json_t *answer)
{
	return json_string_value(json_object_get(answer, "error"));
}

void
answer_print_error(const char *reason, bool json)
{
	json_t *error;
	int n = (int)strcspn(reason, "\n");

	if (!json) {
		message_warnx("%.*s", n, reason);
		return;
	}
	error = json_pack("{s:s%}", "error", reason, n);
	if (error == NULL || json_dumpf(error, stdout, JSON_COMPACT) == -1)
		message_warnx("%.*s", n, reason);
	putchar('\n');
	json_decref(error);
}

bool
answer_print(const char *text, bool json)
{
	const char *error = answer_error_text(text);
	json_t *answer;
	bool ok = true;

	if (error != NULL) {
		answer_print_error(error, json);
		return false;
	}
	fputs(text, stdout);
	if (json) {
		answer = answer_parse(text);
		ok = answer_error_json(answer) == NULL;
		json_decref(answer);
	}
	return ok;
}

void
answer_mistake(struct answer_reader *r, const char *what)
{
	if (r->wrong[0] == '\0')
		snprintf(r->wrong, sizeof(r->wrong), "it is not %s", what);
}

static void
answer_wrong(struct answer_reader *r, const char *name, const char *what)
{
	if (r->wrong[0] == '\0')
		snprintf(r->wrong, sizeof(r->wrong), "\"%s\" is %s", name,
		    what);
}

double
answer_number(struct answer_reader *r, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	double n = json_number_value(value);

	if (value == NULL)
		answer_wrong(r, name, "missing");
	else if (!json_is_number(value))
		answer_wrong(r, name, "not a number");
	else if (!(n >= 0 && n <= FIGURE_MAX))
		answer_wrong(r, name, "out of range");
	else
		return n;
	return 0;
}

bool
answer_truth(struct answer_reader *r, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL)
		answer_wrong(r, name, "missing");
	else if (!json_is_boolean(value))
		answer_wrong(r, name, "neither true nor false");
	return json_is_true(value);
}

const char *
answer_string(struct answer_reader *r, const json_t *object, const char *name)
{
	const json_t *value = answer_member(r, object, name, JSON_STRING);

	return value == NULL ? "" : json_string_value(value);
}

const json_t *
answer_member(struct answer_reader *r, const json_t *object, const char *name,
    json_type type)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL)
		answer_wrong(r, name, "missing");
	else if (json_typeof(value) != type) {
		answer_wrong(r, name, "of another type");
		value = NULL;
	}
	return value;
}
