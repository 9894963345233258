/* SPDX-License-Identifier: ISC */
/*
 * The commands about the connection, and what is remembered of it.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "resp.h"

#define CLIENT_DATABASES 16
#define CLIENT_LINE_MAX 1024
/* Some clients keep an id in a double. */
#define CLIENT_ID_BITS 53

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t
client_hash(uint64_t hash, const void *data, size_t n)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* No two connections are open at one time between the same addresses, and a
 * step made again at another time is another one only before the first commit:
 * so this number tells connections apart, without a counter that would need
 * memory in common. */
static uint64_t
client_make_id(const struct echod_step *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = client_hash(hash, s->peer, sizeof(*s->peer));
	hash = client_hash(hash, &s->unix_ms, sizeof(s->unix_ms));
	return hash % ((UINT64_C(1) << CLIENT_ID_BITS) - 1) + 1;
}

void
client_open(struct resp *r)
{
	struct resp_state *state = r->state;

	state->id = client_make_id(r->step);
	state->opened_ms = r->step->now_ms;
	state->protocol = 2;
}

/* There is one user, without a password: any password is right.  Returns false
 * after an error. */
static bool
client_is_user(struct resp *r, int n)
{
	if (strcmp(arguments_get(r->state, n), "default") == 0)
		return true;
	reply_error(r,
	    "-WRONGPASS invalid username-password pair or user is disabled.");
	return false;
}

void
client_auth(struct resp *r)
{
	if (r->state->arguments > 3)
		reply_error(r, "syntax error");
	else if (r->state->arguments == 2)
		reply_error(r,
		    "AUTH <password> called without any password configured "
		    "for the default user. Are you sure your configuration is "
		    "correct?");
	else if (client_is_user(r, 1))
		reply_status(r, "OK");
}

/* The characters that a line of CLIENT LIST can hold. */
static bool
client_is_word(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

/* Argument `n` becomes the name.  Returns false after an error. */
static bool
client_take_name(struct resp *r, int n)
{
	const char *name = arguments_get(r->state, n);

	if (!client_is_word(name) ||
	    strlen(name) < arguments_length(r->state, n)) {
		reply_error(r,
		    "Client names cannot contain spaces, newlines "
		    "or special characters.");
		return false;
	}
	if (arguments_cut(r->state, n)) {
		reply_error(r, "Client names cannot be longer than %d bytes.",
		    RESP_KEEP_MAX);
		return false;
	}
	snprintf(r->state->name, sizeof(r->state->name), "%s", name);
	return true;
}

static void
client_pair(struct resp *r, const char *name, const char *value)
{
	reply_string(r, name);
	reply_string(r, value);
}

void
client_hello(struct resp *r)
{
	struct resp_state *state = r->state;
	int64_t version = 0;
	int arguments = state->arguments;

	if (arguments > 1 && !arguments_number(state, 1, &version)) {
		reply_error(r,
		    "Protocol version is not an integer or out of "
		    "range");
		return;
	}
	if (arguments > 1 && (version < 2 || version > 3)) {
		reply_error(r, "-NOPROTO unsupported protocol version");
		return;
	}
	for (int n = 2; n < arguments; n++) {
		int more = arguments - 1 - n;

		if (arguments_is(state, n, "AUTH") && more >= 2) {
			if (!client_is_user(r, n + 1))
				return;
			n += 2;
		} else if (arguments_is(state, n, "SETNAME") && more > 0) {
			if (!client_take_name(r, ++n))
				return;
		} else {
			reply_error(r, "Syntax error in HELLO option '%s'",
			    arguments_get(state, n));
			return;
		}
	}
	if (version > 0)
		state->protocol = (uint8_t)version;
	reply_map(r, 7);
	client_pair(r, "server", "redis");
	client_pair(r, "version", RESP_VERSION);
	reply_string(r, "proto");
	reply_integer(r, state->protocol);
	reply_string(r, "id");
	reply_integer(r, (int64_t)state->id);
	client_pair(r, "mode", "standalone");
	client_pair(r, "role", "master");
	reply_string(r, "modules");
	reply_array(r, 0);
}

void
client_reset(struct resp *r)
{
	r->state->protocol = 2;
	r->state->database = 0;
	r->state->silence = RESP_HEARD;
	r->state->name[0] = '\0';
	reply_status(r, "RESET");
}

void
client_select(struct resp *r)
{
	int64_t n;

	if (!arguments_number(r->state, 1, &n)) {
		reply_error(r, "value is not an integer or out of range");
	} else if (n < INT32_MIN || n > INT32_MAX) {
		reply_error(r,
		    "value is out of range, value must between %d "
		    "and %d",
		    INT32_MIN, INT32_MAX);
	} else if (n < 0 || n >= CLIENT_DATABASES) {
		reply_error(r, "DB index is out of range");
	} else {
		r->state->database = (uint8_t)n;
		reply_status(r, "OK");
	}
}

void
client_getname(struct resp *r)
{
	if (r->state->name[0] == '\0')
		reply_null(r);
	else
		reply_string(r, r->state->name);
}

void
client_id(struct resp *r)
{
	reply_integer(r, (int64_t)r->state->id);
}

static void
client_address(const struct echod_peer *peer, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";

	if (peer->family == AF_INET || peer->family == AF_INET6)
		(void)inet_ntop(peer->family, peer->address, address,
		    sizeof(address));
	snprintf(text, size, peer->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
	    address, peer->port);
}

/* The line of CLIENT LIST.  What a handler does not know has the value that it
 * has in Redis for a client that does nothing. */
static void
client_line(const struct resp *r, char *line, size_t size)
{
	const struct resp_state *state = r->state;
	char peer[INET6_ADDRSTRLEN + 10];

	client_address(r->step->peer, peer, sizeof(peer));
	snprintf(line, size,
	    "id=%" PRIu64 " addr=%s laddr=?:%u fd=0 name=%s age=%" PRIu64
	    " idle=0 flags=N db=%u sub=0 psub=0 ssub=0 multi=-1 qbuf=0 "
	    "qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 "
	    "tot-mem=%zu events=r cmd=client|%s user=default redir=-1 resp=%u "
	    "lib-name=%s lib-ver=%s\n",
	    state->id, peer, r->step->peer->local_port, state->name,
	    (r->step->now_ms - state->opened_ms) / 1000, state->database,
	    sizeof(*state), arguments_is(state, 1, "list") ? "list" : "info",
	    state->protocol, state->library, state->library_version);
}

void
client_info(struct resp *r)
{
	char line[CLIENT_LINE_MAX];

	client_line(r, line, sizeof(line));
	reply_text(r, line);
}

/* A connection knows of itself only. */
void
client_list(struct resp *r)
{
	struct resp_state *state = r->state;
	bool shown = true;

	if (state->arguments == 4 && arguments_is(state, 2, "type")) {
		shown = arguments_is(state, 3, "normal");
		if (!shown && !arguments_is(state, 3, "pubsub") &&
		    !arguments_is(state, 3, "master") &&
		    !arguments_is(state, 3, "replica") &&
		    !arguments_is(state, 3, "slave")) {
			reply_error(r, "Unknown client type '%s'",
			    arguments_get(state, 3));
			return;
		}
	} else if (state->arguments > 3 && arguments_is(state, 2, "id")) {
		shown = false;
		for (int n = 3; n < state->arguments; n++) {
			int64_t id;

			if (!arguments_number(state, n, &id)) {
				reply_error(r, "Invalid client ID");
				return;
			}
			shown = shown || id == (int64_t)state->id;
		}
	} else if (state->arguments != 2) {
		reply_error(r, "syntax error");
		return;
	}
	if (shown)
		client_info(r);
	else
		reply_text(r, "");
}

void
client_on_off(struct resp *r)
{
	if (arguments_is(r->state, 2, "on") || arguments_is(r->state, 2, "off"))
		reply_status(r, "OK");
	else
		reply_error(r, "syntax error");
}

void
client_reply(struct resp *r)
{
	struct resp_state *state = r->state;

	if (arguments_is(state, 2, "on")) {
		state->silence = RESP_HEARD;
		reply_status(r, "OK");
	} else if (arguments_is(state, 2, "off")) {
		state->silence = RESP_OFF;
	} else if (arguments_is(state, 2, "skip")) {
		if (state->silence != RESP_OFF)
			state->silence = RESP_SKIP_NEXT;
	} else {
		reply_error(r, "syntax error");
	}
}

void
client_setinfo(struct resp *r)
{
	struct resp_state *state = r->state;
	const char *name = arguments_get(state, 2);
	const char *value = arguments_get(state, 3);
	char *to;

	if (arguments_is(state, 2, "lib-name")) {
		to = state->library;
	} else if (arguments_is(state, 2, "lib-ver")) {
		to = state->library_version;
	} else {
		reply_error(r, "Unrecognized option '%s'", name);
		return;
	}
	if (!client_is_word(value)) {
		reply_error(r,
		    "%s cannot contain spaces, newlines or special "
		    "characters.",
		    name);
	} else if (strlen(value) >= sizeof(state->library)) {
		reply_error(r, "%s cannot be longer than %zu bytes.", name,
		    sizeof(state->library) - 1);
	} else {
		strcpy(to, value);
		reply_status(r, "OK");
	}
}

void
client_setname(struct resp *r)
{
	if (client_take_name(r, 2))
		reply_status(r, "OK");
}
