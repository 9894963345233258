/* SPDX-License-Identifier: ISC */
/*
 * Access control: one spelling for each client, a limited wait for PROXY
 * headers, places and rates by address.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "rig.h"
#include "tap.h"
#include "worker/balance/handoff.h"
#include "worker/connection/admission.h"
#include "worker/connection/idle.h"
#include "worker/connection/proxy.h"
#include "worker/connection/rate.h"
#include "worker/connection/tcp_info.h"

static struct peer
peer(int family, const char *address)
{
	struct sockaddr_storage ss = { .ss_family = (sa_family_t)family };
	struct peer p;

	if (family == AF_INET)
		inet_pton(family, address,
		    &((struct sockaddr_in *)&ss)->sin_addr);
	else
		inet_pton(family, address,
		    &((struct sockaddr_in6 *)&ss)->sin6_addr);
	peer_from_sockaddr(&p, &ss);
	return p;
}

static bool
same_client(const char *six, const char *four)
{
	struct peer a = peer(AF_INET6, six), b = peer(AF_INET, four);

	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
test_spelling(void)
{
	struct network_list list = { .count = 0 };
	char why[128], text[256];

	ok(same_client("::ffff:192.0.2.1", "192.0.2.1"),
	    "from a socket of both families: a client of IPv4");
	ok(same_client("64:ff9b::192.0.2.1", "192.0.2.1"),
	    "through NAT64: the same one");
	ok(peer(AF_INET6, "::1").family == AF_INET6 &&
		peer(AF_INET6, "::192.0.2.1").family == AF_INET6 &&
		peer(AF_INET6, "64:ff9b:1::192.0.2.1").family == AF_INET6 &&
		peer(AF_INET6, "::fffe:192.0.2.1").family == AF_INET6,
	    "similar addresses are of IPv6");
	ok(networks_parse(&list,
	       "::ffff:192.0.2.0/120 ::ffff:0:0/96 ::/0 "
	       "64:ff9b::c000:201 64:ff9b::/32",
	       why, sizeof(why)) == 0,
	    "networks of IPv4 clients as IPv6 spells them");
	networks_format(&list, text, sizeof(text));
	ok(strcmp(text, "192.0.2.0/24 0.0.0.0/0 ::/0 192.0.2.1 64:ff9b::/32") ==
		0,
	    "are networks of IPv4: %s", text);
}

static void
test_checksums(void)
{
	char in[16 + 12 + 2 * 7] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1a";
	struct proxy_header h;

	memcpy(in + 28, "\3\0\4\0\0\0\0\3\0\4\0\0\0\0", 14);
	ok(proxy_parse(in, sizeof(in), &h) == PROXY_BAD &&
		strcmp(h.fault, "more than one checksum") == 0,
	    "a header with two checksums is wrong before any is looked at");
	ok(proxy_parse("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", 31, &h) ==
		    PROXY_BAD &&
		strstr(h.fault, "LF alone") != NULL,
	    "a line that ends with LF is wrong at once, and said to be that");
}

/* A connection of slot 0 that was accepted `ago` ms ago and awaits a header. */
static struct pair
awaiting(unsigned protocol, unsigned ago)
{
	struct pair p;

	rig.config.service[0].proxy_protocol = protocol;
	p = opened();
	p.c->flags |= CONN_HEADER;
	p.c->opened = clock_ms() - ago;
	p.c->peer = peer(AF_INET, "127.0.0.1");
	return p;
}

static void
test_wait(void)
{
	struct pair p;

	rig_up();
	p = awaiting(PROXY_PROTOCOL_ON, 100);
	(void)succeed();
	idle_headers(&rig.w);
	ok(is_open(p.fd) &&
		rig.w.timers.at[TIMER_HEADERS] == p.c->opened + 3000,
	    "on: the time counts from the accept, for every worker");
	p.c->opened -= 3000;
	(void)succeed();
	idle_headers(&rig.w);
	ok(closed(0, CLOSE_DENIED) == 1 && hears_end(&p),
	    "on: after it, a silent client is closed");
	ok(rig.w.timers.at[TIMER_HEADERS] == CLOCK_NEVER,
	    "and no timer is set");
	rig_down();

	rig_up();
	p = awaiting(PROXY_PROTOCOL_ON, 100);
	(void)succeed();
	say(&p, "PROXY TCP4 1");
	turn(20);
	p.c->opened -= 3000;
	say(&p, "9");
	turn(20);
	ok(closed(0, CLOSE_DENIED) == 1,
	    "on: a byte now and then gives no more time");
	rig_down();

	rig_up();
	p = awaiting(PROXY_PROTOCOL_ON, 9000);
	(void)succeed();
	say(&p, "PROXY UNKNOWN\r\nin\n");
	idle_headers(&rig.w);
	ok(hears(&p, "in\n"),
	    "on: a header in time counts, even if the worker is late");
	rig_down();

	rig_up();
	p = awaiting(PROXY_PROTOCOL_ON, 100);
	(void)succeed();
	handoff_move(&rig.w, p.fd, 1);
	worker_up(1);
	rig.w.timers.at[TIMER_HEADERS] = CLOCK_NEVER;
	handoff_accept(&rig.w);
	ok(is_owned(&p, CONN_OPEN, 1) &&
		rig.w.timers.at[TIMER_HEADERS] == p.c->opened + 3000,
	    "handed off, it does not wait longer");
	rig_down();
}

static void
test_optional(void)
{
	struct pair p;

	rig_up();
	p = awaiting(PROXY_PROTOCOL_OPTIONAL, 0);
	(void)succeed();
	say(&p, "\r\n");
	turn(20);
	idle_headers(&rig.w);
	ok(silent(&p) && window_holds(&p, "\r\n") &&
		rig.w.timers.at[TIMER_HEADERS] <= p.c->opened + 1100,
	    "optional: CR LF may begin a header");
	p.c->opened -= 1000;
	idle_headers(&rig.w);
	ok(hears(&p, "\r\n"), "optional: after a second it is a line");
	ok(echoes(&p), "and others follow");
	rig_down();

	rig_up();
	p = awaiting(PROXY_PROTOCOL_OPTIONAL, 2000);
	(void)succeed();
	idle_headers(&rig.w);
	ok(connection_awaits_header(p.c),
	    "optional: if the client is silent, a header may still come");
	say(&p, "PRO");
	turn(20);
	say(&p, "XY\n");
	ok(hears(&p, "PROXY\n"),
	    "optional: after the time, pieces of one are input");
	rig_down();

	rig_up();
	p = awaiting(PROXY_PROTOCOL_OPTIONAL, 3000);
	(void)succeed();
	idle_headers(&rig.w);
	ok(is_open(p.fd) && !connection_awaits_header(p.c),
	    "optional: a client that stays silent is served");
	say(&p, "PROXY UNKNOWN\r\n");
	ok(hears(&p, "PROXY UNKNOWN\r\n"), "and then a header is input");
	rig_down();

	rig_up();
	p = awaiting(PROXY_PROTOCOL_OPTIONAL, 3000);
	rig.config.service[0].allow.network[0] = (struct network){
		{ 192, 0, 2 }, AF_INET, 24
	};
	rig.config.service[0].allow.count = 1;
	(void)succeed();
	idle_headers(&rig.w);
	ok(closed(0, CLOSE_DENIED) == 1,
	    "optional: unless its own address is not allowed");
	rig_down();
}

static void
test_places(void)
{
	struct peer own = peer(AF_INET, "127.0.0.1");
	struct pair p, q;

	rig_up();
	p = awaiting(PROXY_PROTOCOL_ON, 0);
	rig.config.service[0].maxclients_per_ip = 1;
	(void)succeed();
	q = accepted(0);
	note_end(q.fd);
	ok(admission_crowds(&rig.w, p.fd, &own, 0, true) == NULL,
	    "before its header, it counts for its own address");
	ok(admission_crowds(&rig.w, q.fd, &own, 0, true) != NULL &&
		!admission_counted(&rig.w, q.fd),
	    "and the next has no place");
	say(&q, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
	ok(admission_crowds(&rig.w, q.fd, &own, 0, true) == NULL,
	    "unless the header of that one is there");
	rig.config.service[0].proxy_trusted.network[0] = (struct network){
		{ 127 }, AF_INET, 8
	};
	rig.config.service[0].proxy_trusted.count = 1;
	ok(admission_crowds(&rig.w, p.fd, &own, 0, true) == NULL &&
		!admission_counted(&rig.w, p.fd),
	    "connections of a balancer do not count");
	rig_down();
}

static void
test_rates(void)
{
	const uint64_t key = UINT64_C(0x123456789abcdef0);
	_Atomic uint64_t *entry;

	rig_up();
	worker_up(0);
	ok(rate_allows(&rig.w, 0, key), "no rate: all are accepted");
	rig.config.service[0].accept_rate_per_ip = 2;
	ok(rate_allows(&rig.w, 0, key) && rate_allows(&rig.w, 0, key) &&
		!rate_allows(&rig.w, 0, key),
	    "2 a second: not 3");
	ok(rate_allows(&rig.w, 0, ~key),
	    "but another address has its own rate");
	entry = &rig.arena.rate[key % (ARENA_RATES / 4) * 4];
	*entry += UINT64_C(1) << 40;
	ok(rate_allows(&rig.w, 0, key), "an impossible time is ignored");
	/* Keys of one place differ in their upper bits. */
	for (uint64_t i = 1; i <= 4; i++)
		(void)rate_allows(&rig.w, 0, key + (i << 50));
	ok(rate_allows(&rig.w, 0, key + (UINT64_C(9) << 50)),
	    "more addresses than room: none is refused for that");
	rig_down();
}

/* How much of the rate a client returns that connects and leaves. */
static uint64_t
returned_after(const char *word, bool charged)
{
	const uint64_t due = UINT64_C(1) << 40;
	struct pair p;
	uint64_t left;

	rig_up();
	rig.config.service[0].accept_rate = 10;
	p = opened();
	p.c->flags |= charged ? CONN_CHARGED : 0;
	(void)succeed();
	rig.arena.header->accept_due[0] = due;
	if (*word != '\0') {
		say(&p, word);
		turn(20);
	}
	close(p.client);
	for (int i = 0; i < 20 && slot(0)->held > 0; i++)
		turn(20);
	left = due - rig.arena.header->accept_due[0];
	rig_down();
	return left;
}

static void
test_left(void)
{
	const struct linger hard = { 1, 0 };
	struct pair p;

	rig_up();
	p = accepted(0);
	ok(!tcp_info_has_left(p.fd), "a client that is there has not left");
	say(&p, "x");
	checked(shutdown(p.client, SHUT_WR), "shutdown");
	await(p.fd, POLLRDHUP);
	ok(!tcp_info_has_left(p.fd),
	    "nor has a client that has sent something");
	p = accepted(0);
	checked(shutdown(p.client, SHUT_WR), "shutdown");
	await(p.fd, POLLRDHUP);
	ok(tcp_info_has_left(p.fd),
	    "a client that has sent only a FIN has left");
	p = accepted(0);
	checked(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &hard,
		    sizeof(hard)),
	    "SO_LINGER");
	close(p.client);
	await(p.fd, POLLIN);
	ok(tcp_info_has_left(p.fd), "and a client that has reset");
	rig_down();
	ok(returned_after("", true) == 100000,
	    "a client that leaves without input returns its place in the "
	    "rate");
	ok(returned_after("", false) == 0,
	    "a client that did not count returns nothing");
	ok(returned_after("x", true) == 0,
	    "nor does a client that sent something");
}

int
main(void)
{
	rig_begin();
	test_spelling();
	test_checksums();
	test_wait();
	test_optional();
	test_places();
	test_rates();
	test_left();
	return tap_done();
}
