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
	struct connection c = { .rx = 100,
		.tx = 30,
		.dropped = 20,
		.ready = 70 };

	ok(connection_cursor(&c) == 50, "the cursor is tx + dropped");
	ok(connection_pending(&c) == 50, "pending: rx - cursor");
	ok(connection_unsent(&c) == 20, "unsent: ready - cursor");
	ok(connection_sane(&c), "a sane record");
	c.tx = 51;
	ok(!connection_sane(&c), "not sane: sent more than was released");
	c.tx = 30;
	c.ready = 101;
	ok(!connection_sane(&c), "not sane: released more than was received");
	c = (struct connection){ .rx = SPILL_LINE };
	ok(connection_sane(&c), "sane: as much pending as can be");
	c.rx++;
	ok(!connection_sane(&c), "not sane: one byte more");
	c = (struct connection){ .rx = UINT64_C(1) << 40,
		.ready = UINT64_C(1) << 40,
		.tx = UINT64_C(1) << 40,
		.dropped = 1 };
	ok(!connection_sane(&c), "not sane: cursor beyond rx");
	c = (struct connection){ .rx = SPILL_WINDOW + 9,
		.tx = SPILL_WINDOW,
		.ready = SPILL_WINDOW,
		.window_base = 8,
		.flags = CONN_SPILLED };
	ok(!connection_sane(&c), "not sane: pending beyond the window's end");
	c.window_base = 9;
	ok(connection_sane(&c), "sane: pending up to the window's end");
	c.window_base = SPILL_WINDOW + 1;
	ok(!connection_sane(&c), "not sane: pending before the window");
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
	a.slot[1].count.closed[CLOSE_EOF] = 5;
	a.slot[2].count.closed[CLOSE_EOF] = 6;
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
	test_owner();
	test_names();
	test_arena();
	return tap_done();
}
