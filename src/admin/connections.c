/* SPDX-License-Identifier: ISC */
/*
 * The list of connections.
 *
 * Records change while they are read: a row may be out of date, and one whose
 * owner changed meanwhile is left out or told twice.  Nothing waits for it.
 */
#include "admin/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "admin/row.h"
#include "admin/service_list.h"
#include "admin/sock_diag.h"
#include "lib/clock.h"

/* Of one piece. */
#define LOOKS 4096 /* records looked at */
#define ROWS 200   /* written */
/* Of a record that a step changes while it is copied. */
#define COPIES 4

/* Milliseconds since a byte went in or out.  The kernel knows; where it does
 * not say, the record knows if idle clients are looked for (`timeout`). */
static uint64_t
connections_idle_ms(const struct connection *c, uint64_t now, uint64_t age)
{
	uint64_t idle = 0, since = (uint64_t)c->idle_since * 100;

	if (!sock_diag_idle(c->cookie, &idle) && c->idle_since != 0 &&
	    c->idle_mark == c->rx + c->tx && now > since)
		idle = now - since;
	return idle < age ? idle : age;
}

static const char *
connections_state_name(const struct connection *c, enum connection_state s)
{
	if (s == CONN_OFFERED)
		return "moving";
	switch (c->phase) {
	case PHASE_FINISHING:
		return "finishing";
	case PHASE_LINGERING:
		return "lingering";
	default:
		return connection_unsent(c) > 0 ? "blocked"
		    : connection_pending(c) > 0 ? "partial"
						: "serving";
	}
}

static unsigned
connections_entry(const struct connection *c)
{
	return connection_half(c)->entry % HANDLER_ENTRIES;
}

static void
connections_row(const struct view *v, int fd, const struct connection *c,
    uint32_t owner, struct row *r)
{
	uint64_t now = clock_ms(), age = now > c->opened ? now - c->opened : 0;

	row_text(r, "peer", -24, peer_name(&c->peer));
	row_number(r, "worker", 6, owner_slot(owner));
	row_add(r, "age", ROW_MILLI, 12, age);
	row_add(r, "idle", ROW_MILLI, 12, connections_idle_ms(c, now, age));
	row_number(r, "in", 12, c->rx);
	row_number(r, "out", 12, c->tx);
	/* In a record that another process has spoilt it can be anything. */
	row_number(r, "held", 6,
	    connection_sane(c) ? connection_pending(c) : 0);
	row_text(r, "state", -10,
	    connections_state_name(c, owner_state(owner)));
	row_text(r, "service", -10, service_list_name(v, connections_entry(c)));
	row_number(r, "fd", 0, (uint64_t)fd);
}

static void
connections_write(struct connection_list *l, const struct view *v, int fd,
    const struct connection *c, uint32_t owner, FILE *out)
{
	struct row r = { 0 };

	connections_row(v, fd, c, owner, &r);
	if (l->json)
		row_object(&r, &l->writer, NULL);
	else
		row_line(&r, out);
	l->rows++;
}

static bool
connections_is_open(uint32_t owner)
{
	return owner_state(owner) == CONN_OPEN ||
	    owner_state(owner) == CONN_OFFERED;
}

/* The IPv4 part of "::ffff:192.0.", which is no whole address; else NULL. */
static const char *
connections_list_embedded(const char *text)
{
	static const char *const before[] = { "::ffff:", "64:ff9b::" };

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		size_t n = strlen(before[i]);

		if (strncasecmp(text, before[i], n) == 0 &&
		    strchr(text + n, '.') != NULL)
			return text + n;
	}
	return NULL;
}

void
connections_filter(struct connection_list *l, const char *text)
{
	const char *host = text + (text[0] == '['), *part;
	size_t n = strcspn(host, "]");
	struct peer p = { .family = AF_INET6 };
	char word[INET6_ADDRSTRLEN];

	strlcpy(l->peer, text, sizeof(l->peer));
	if (n >= sizeof(word))
		return;
	memcpy(word, host, n);
	word[n] = '\0';
	if (inet_pton(AF_INET6, word, p.address) != 1) {
		if ((part = connections_list_embedded(word)) != NULL)
			strlcpy(l->peer, part, sizeof(l->peer));
		return;
	}
	peer_normalize(&p);
	if (inet_ntop(p.family, p.address, word, sizeof(word)) == NULL)
		return;
	if (p.family == AF_INET)
		snprintf(l->peer, sizeof(l->peer), "%s%.8s", word,
		    host + n + (host[n] == ']'));
	else
		snprintf(l->peer, sizeof(l->peer), "[%s%.8s", word, host + n);
}

bool
connections_filter_service(struct connection_list *l, const struct view *v,
    const char *name)
{
	l->entries = 0;
	for (unsigned i = 0; i < HANDLER_ENTRIES; i++)
		if (strcmp(service_list_name(v, i), name) == 0)
			l->entries |= handler_table_bit(i);
	return name[0] != '\0' && l->entries != 0;
}

void
connections_init(struct connection_list *l, bool json)
{
	*l = (struct connection_list){ .json = json,
		.worker = -1,
		.entries = UINT64_MAX };
}

void
connections_begin(struct connection_list *l, const struct view *v, FILE *out)
{
	static const struct connection none;
	struct row r = { 0 };

	l->active = true;
	l->next = 0;
	l->rows = 0;
	l->writer = json_write_begin(out);
	if (l->json)
		json_write_lines(&l->writer, NULL);
	else {
		/* Of a connection that there is not, for its heads. */
		connections_row(v, -1, &none, 0, &r);
		row_heads(&r, out);
	}
}

/* Copy a record so that its positions fit together: they do unless a step was
 * committed in between.  False if the owner is not `owner` any more. */
static bool
connections_copy(struct connection *to, const struct connection *live,
    uint32_t owner)
{
	for (int i = 0; i < COPIES; i++) {
		uint32_t epoch = atomic_load(&live->epoch);

		memcpy(to, (const void *)live, sizeof(*to));
		atomic_thread_fence(memory_order_acquire);
		if (connection_owner(live) != owner)
			return false;
		if (atomic_load(&live->epoch) == epoch && to->epoch == epoch)
			break;
	}
	return true;
}

void
connections_more(struct connection_list *l, const struct view *v, FILE *out)
{
	const struct arena *a = v->arena;
	int end = (int)arena_end(a);
	int until = l->next + LOOKS < end ? l->next + LOOKS : end;
	uint64_t most = l->rows + ROWS;

	l->writer.out = out;
	for (; l->next < until && l->rows < most; l->next++) {
		const struct connection *live = &a->connection[l->next];
		struct connection c;
		uint32_t owner = connection_owner(live);

		if (!connections_is_open(owner) ||
		    (l->worker != -1 &&
			owner_slot(owner) != (unsigned)l->worker))
			continue;
		if (connections_copy(&c, live, owner) &&
		    (l->entries & handler_table_bit(connections_entry(&c))) !=
			0 &&
		    strncmp(peer_name(&c.peer), l->peer, strlen(l->peer)) == 0)
			connections_write(l, v, l->next, &c, owner, out);
	}
	if (l->next < end)
		return;
	l->active = false;
	if (l->json)
		json_write_close(&l->writer);
	else
		fprintf(out, "%llu connections\n", (unsigned long long)l->rows);
}

/* "192.0.2.1:5000", "[2001:db8::1]:5000" or "[fe80::1%2]:5000". */
static bool
connections_parse_peer(struct peer *p, const char *text)
{
	char host[80], *colon, *scope;
	const char *reason = NULL;

	memset(p, 0, sizeof(*p));
	if (strlcpy(host, text + (text[0] == '['), sizeof(host)) >=
		sizeof(host) ||
	    (colon = strrchr(host, ':')) == NULL)
		return false;
	*colon = '\0';
	p->port = (uint16_t)strtonum(colon + 1, 0, 65535, &reason);
	if (reason != NULL)
		return false;
	if (text[0] != '[') {
		p->family = AF_INET;
		return inet_pton(AF_INET, host, p->address) == 1;
	}
	if (colon == host || colon[-1] != ']')
		return false;
	colon[-1] = '\0';
	if ((scope = strchr(host, '%')) != NULL) {
		*scope = '\0';
		p->scope = (uint32_t)strtonum(scope + 1, 0, UINT32_MAX,
		    &reason);
	}
	p->family = AF_INET6;
	if (reason != NULL || inet_pton(AF_INET6, host, p->address) != 1)
		return false;
	peer_normalize(p);
	return true;
}

bool
connections_find(const struct arena *a, const char *peer,
    struct connection_name *name)
{
	int end = (int)arena_end(a);
	struct peer p;

	if (!connections_parse_peer(&p, peer))
		return false;
	for (int fd = 0; fd < end; fd++) {
		const struct connection *c = &a->connection[fd];

		if (!connections_is_open(connection_owner(c)) ||
		    memcmp(&c->peer, &p, sizeof(p)) != 0)
			continue;
		*name = (struct connection_name){ fd, c->cookie, p };
		return true;
	}
	return false;
}

bool
connections_has(const struct arena *a, const struct connection_name *name)
{
	const struct connection *c = &a->connection[name->fd];

	return connections_is_open(connection_owner(c)) &&
	    c->cookie == name->cookie;
}
