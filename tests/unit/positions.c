/* SPDX-License-Identifier: ISC */
/*
 * Stream positions and names of a connection; sums over the arena.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/arena.h"
#include "tap.h"

static void
test_positions(void)
{
	struct connection c = { .rx = 100, .tx = 30 };
	struct half *h = &c.half[0];

	*h = (struct half){ .consumed = 70,
		.produced = 50,
		.written = 15,
		.passed = 10 };
	ok(connection_unconsumed(&c) == 30, "unconsumed: rx - consumed");
	ok(connection_unsent(&c) == 20 && connection_unsent_written(&c) == 10 &&
		connection_unsent_passed(&c) == 10,
	    "unsent: produced - tx, first what is written");
	ok(connection_kept(&c) == 60 && connection_pending(&c) == 50,
	    "passed input is kept until it is sent");
	c.tx = 45;
	ok(connection_unsent_written(&c) == 0 &&
		connection_unsent_passed(&c) == 5 && connection_kept(&c) == 65,
	    "and not longer");
	ok(connection_sane(&c), "a sane record");
	c.tx = 51;
	ok(!connection_sane(&c), "not sane: sent more than was produced");
	c.tx = 24;
	ok(!connection_sane(&c), "not sane: more unsent than a step made");
	c.tx = 50;
	h->consumed = 101;
	ok(!connection_sane(&c), "not sane: consumed more than was received");
	h->consumed = 9;
	ok(!connection_sane(&c), "not sane: passed more than was consumed");
	h->consumed = 70;
	h->written = OUTPUT_WINDOW + 1;
	ok(!connection_sane(&c), "not sane: wrote more than a window");
	c = (struct connection){ .rx = SPILL_LINE };
	ok(connection_sane(&c), "sane: as much unconsumed as can be");
	c.rx++;
	ok(!connection_sane(&c), "not sane: one byte more");
	c = (struct connection){ .rx = SPILL_WINDOW + 9,
		.window_base = 8,
		.flags = CONN_SPILLED,
		.half = { { .consumed = SPILL_WINDOW } } };
	ok(!connection_sane(&c), "not sane: input beyond the window's end");
	c.window_base = 9;
	ok(connection_sane(&c), "sane: input up to the window's end");
	c.window_base = SPILL_WINDOW + 1;
	ok(!connection_sane(&c), "not sane: input before the window");
	c.phase = PHASE_LINGERING;
	c.rx += 3 * SPILL_LINE;
	ok(connection_sane(&c), "sane: input after the end");
}

static void
test_halves(void)
{
	struct connection c = { .rx = 1 };

	c.half[1].consumed = 1;
	ok(connection_half(&c) == &c.half[0] &&
		connection_other_half(&c) == &c.half[1] &&
		connection_unconsumed(&c) == 1,
	    "an even epoch: the first half counts");
	c.epoch = UINT32_MAX;
	ok(connection_half(&c) == &c.half[1] &&
		connection_other_half(&c) == &c.half[0] &&
		connection_unconsumed(&c) == 0,
	    "an odd one: the second");
	c.epoch++;
	ok(connection_half(&c) == &c.half[0], "it wraps");
}

/* True if no part of a state overlaps a part of the other half's. */
static bool
apart(const struct arena *a, size_t one, size_t other)
{
	for (unsigned half = 0; half < 2; half++) {
		const char *s = arena_state(a, 7, half, one);
		const char *t = arena_state(a, 7, 1 - half, other);

		if (s < t ? s + one > t : t + other > s)
			return false;
	}
	return true;
}

static void
test_states(void)
{
	static const size_t sizes[] = { 0, 1, 64, STATE_LIMIT / 2,
		STATE_LIMIT / 2 + 1, STATE_LIMIT };
	const size_t n = sizeof(sizes) / sizeof(*sizes);
	bool good = true;
	struct arena a;

	ok(arena_create(&a, 1, 8, 8) == 0, "an arena is made");
	for (size_t i = 0; i < n * n; i++)
		good = good && apart(&a, sizes[i / n], sizes[i % n]);
	ok(good, "states of both halves never overlap, of whatever sizes");
	ok(arena_state(&a, 7, 1, STATE_LIMIT) + STATE_LIMIT <=
		    arena_state(&a, 8, 0, 1) &&
		arena_state(&a, 8, 0, 1) == a.output,
	    "and are the connection's own");
	arena_destroy(&a);
}

static void
test_claim(void)
{
	struct connection c = { .cookie = 0 };
	uint32_t word = connection_word(&c), taking, closing;

	taking = owner_word(CONN_CLAIMED, 3);
	closing = owner_word(CONN_CLOSING, 3);
	ok(connection_vacant(&c, word, 5) && connection_claim(&c, word, 3) &&
		connection_owner(&c) == taking,
	    "a free record is claimed");
	ok(!connection_vacant(&c, connection_word(&c), 5), "and then is not");
	c.cookie = 5;
	connection_set(&c, closing);
	ok(!connection_vacant(&c, connection_word(&c), 5) &&
		connection_vacant(&c, connection_word(&c), 6),
	    "closing: vacant for another socket, not for that one");
	ok(!connection_swap(&c, taking, CONN_FREE) &&
		connection_swap(&c, closing, CONN_FREE) &&
		connection_owner(&c) == CONN_FREE,
	    "closed: free");
	ok(!connection_claim(&c, word, 4),
	    "freed and claimed in between: no claim");
	for (unsigned n = 0; n < 5000; n++) {
		word = connection_word(&c);
		if (!connection_claim(&c, word, 255) ||
		    !connection_swap(&c, owner_word(CONN_CLAIMED, 255),
			CONN_FREE))
			break;
	}
	ok(connection_word(&c) != word && connection_owner(&c) == 0,
	    "the count of claims wraps and leaves slot and state alone");
}

static void
test_owner(void)
{
	uint32_t h = owner_word(CONN_OFFERED, 255);

	ok(owner_state(h) == CONN_OFFERED && owner_slot(h) == 255,
	    "the owner word has a state and a slot");
	ok(owner_word(CONN_FREE, 7) == 0, "FREE has no slot");
	test_claim();
}

static void
test_names(void)
{
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	struct peer p;

	inet_pton(AF_INET, "192.0.2.7", &in->sin_addr);
	in->sin_port = htons(4711);
	peer_from_sockaddr(&p, &ss);
	ok(strcmp(peer_name(&p), "192.0.2.7:4711") == 0, "IPv4 peer");
	memset(&ss, 0, sizeof(ss));
	in6->sin6_family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::7", &in6->sin6_addr);
	in6->sin6_port = htons(1);
	peer_from_sockaddr(&p, &ss);
	ok(strcmp(peer_name(&p), "[2001:db8::7]:1") == 0, "IPv6 peer");
	in6->sin6_scope_id = 3;
	peer_from_sockaddr(&p, &ss);
	ok(strcmp(peer_name(&p), "[2001:db8::7%3]:1") == 0, "scoped peer");
	ss.ss_family = AF_UNIX;
	peer_from_sockaddr(&p, &ss);
	ok(strcmp(peer_name(&p), "unnamed peer") == 0, "no other family");
}

static blkcnt_t
blocks(const struct arena *a)
{
	struct stat st;

	return fstat(a->fd, &st) == 0 ? st.st_blocks : -1;
}

static void
test_arena(void)
{
	struct arena a;
	blkcnt_t before;

	ok(arena_create(&a, 4, 1000, 1000) == 0, "an arena is made");
	ok(a.header->magic == ARENA_MAGIC && a.header->slots == 4,
	    "its header has the sizes");
	ok(arena_window(&a, 999) + SPILL_WINDOW == (char *)a.header + a.bytes,
	    "the last window ends the arena");
	ok(arena_next(&a, 0, 0) == -1, "it holds no connection");
	a.connection[7].owner = owner_word(CONN_OPEN, 2);
	a.connection[8].owner = owner_word(CONN_OFFERED, 2);
	a.connection[9].owner = owner_word(CONN_CLOSING, 2);
	a.connection[900].owner = owner_word(CONN_OPEN, 2);
	a.header->descriptor_end = 901;
	ok(arena_next(&a, 2, 0) == 7 && arena_next(&a, 2, 8) == 900 &&
		arena_next(&a, 2, 901) == -1,
	    "a slot's connections are found");
	ok(arena_next(&a, 1, 0) == -1, "and not another slot's");
	a.header->workers = 4;
	a.slot[1].held = 3;
	a.slot[2].inflight = 1;
	a.slot[3].held = 4;
	a.slot[1].count[0].closed[CLOSE_EOF] = 5;
	a.slot[2].count[0].closed[CLOSE_EOF] = 6;
	ok(arena_held(&a) == 8, "held and reserved are summed");
	ok(arena_closed(&a, CLOSE_EOF) == 11, "closed is summed");

	before = blocks(&a);
	memset(arena_window(&a, 500), 'x', SPILL_WINDOW);
	ok(blocks(&a) >= before + SPILL_WINDOW / 512, "a window takes memory");
	arena_release_window(&a, 500);
	ok(blocks(&a) == before, "and releases it");

	arena_stop(&a, 5000);
	ok(arena_stop_deadline(&a) == 5000, "a stop has a deadline");
	arena_stop(&a, 6000);
	ok(arena_stop_deadline(&a) == 5000, "which moves to no later time");
	arena_stop(&a, 4000);
	ok(arena_stop_deadline(&a) == 4000, "but to an earlier one");
	arena_destroy(&a);
}

int
main(void)
{
	test_positions();
	test_halves();
	test_states();
	test_owner();
	test_names();
	test_arena();
	return tap_done();
}
