/* SPDX-License-Identifier: ISC */
/*
 * The table of handlers over reloads: which entries connections keep, which
 * they move to, what is refused, and when entries and numbers are free again.
 */
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "lib/clock.h"
#include "master/handlers.h"
#include "tests/unit/tap.h"

static struct handler_table t;
static struct image image;
static struct image_request request;
static char why[512];

static uint64_t
bit(int entry)
{
	return handler_table_bit((unsigned)entry);
}

static void
begin(void)
{
	memset(&image, 0, sizeof(image));
	memset(&request, 0, sizeof(request));
}

/* A service of the next configuration; `inode` tells builds apart. */
static struct image_entry *
with(const char *service, const char *name, uint64_t inode)
{
	struct image_entry *e = &image.entry[image.services];

	request.service[image.services].where = "redis.conf:3: handler";
	request.services = ++image.services;
	strlcpy(e->service, service, sizeof(e->service));
	strlcpy(e->name, name, sizeof(e->name));
	strlcpy(e->version, "1.0", sizeof(e->version));
	snprintf(e->path, sizeof(e->path), "/usr/lib/echod/handlers/%s.so",
	    name);
	e->inode = inode;
	e->state_version = 1;
	e->state_size = 16;
	e->in_max = e->out_max = 4096;
	return e;
}

static int
plan(uint64_t used)
{
	struct handler_table next = t;
	int r;

	why[0] = '\0';
	r = handlers_plan(&next, &image, &request, used, 1000, why,
	    sizeof(why));
	if (r == -1)
		printf("# %s\n", why);
	else
		t = next;
	return r;
}

/* The only entry of a service in a state; -1 if there is none, -2 if there are
 * several. */
static int
find(const char *service, enum entry_state state)
{
	int found = -1;

	for (int i = 0; i < HANDLER_ENTRIES; i++)
		if (t.entry[i].state == state &&
		    strcmp(t.entry[i].service, service) == 0)
			found = found == -1 ? i : -2;
	return found;
}

static unsigned
entries(void)
{
	unsigned n = 0;

	for (int i = 0; i < HANDLER_ENTRIES; i++)
		n += t.entry[i].state != ENTRY_FREE;
	return n;
}

static void
start(const char *name)
{
	memset(&t, 0, sizeof(t));
	begin();
	with("a", name, 1);
	(void)plan(0);
}

static void
test_same(void)
{
	int e;

	start("resp");
	e = find("a", ENTRY_CURRENT);
	ok(e >= 0 && entries() == 1 && t.entry[e].code_fd == -1,
	    "a start makes an entry, which has no descriptor yet");
	t.entry[e].code_fd = 7;
	ok(plan(bit(e)) == 0 && find("a", ENTRY_CURRENT) == e &&
		entries() == 1 && t.entry[e].code_fd == 7,
	    "a reload of the same keeps it, with its descriptor");
	for (int i = 0; i < 1000; i++)
		(void)plan(0);
	ok(entries() == 1, "as often as one likes");
	image.entry[0].data_mark = 5;
	ok(plan(0) == 0 && find("a", ENTRY_CURRENT) != e && entries() == 1,
	    "other options are another entry, and the unused one is free");
}

static void
test_replaced(void)
{
	int old, mid, new;

	start("resp");
	old = find("a", ENTRY_CURRENT);
	begin();
	with("a", "resp", 2);
	ok(plan(bit(old)) == 0 && (mid = find("a", ENTRY_CURRENT)) != old &&
		mid >= 0 && t.entry[old].state == ENTRY_REPLACED &&
		t.entry[old].successor == mid &&
		t.entry[mid].number == t.entry[old].number,
	    "another build of the module replaces it");
	begin();
	with("a", "resp", 3);
	ok(plan(bit(old)) == 0 && (new = find("a", ENTRY_CURRENT)) >= 0 &&
		t.entry[old].successor == new,
	    "the next build is the successor of both");
	ok(plan(0) == 0 && entries() == 1, "and at last there is one");
}

static void
test_former(void)
{
	int old, new;

	start("resp");
	old = find("a", ENTRY_CURRENT);
	begin();
	with("a", "daytime", 9);
	ok(plan(bit(old)) == 0 && t.entry[old].state == ENTRY_FORMER,
	    "connections keep their protocol");
	new = find("a", ENTRY_CURRENT);
	begin();
	with("a", "resp", 1);
	ok(plan(bit(old) | bit(new)) == 0 && find("a", ENTRY_CURRENT) == old &&
		t.entry[new].state == ENTRY_FORMER,
	    "which may come back");
	/* A build that connections of the former one cannot move to. */
	begin();
	with("a", "daytime", 10)->state_version = 2;
	ok(plan(bit(old) | bit(new)) == 0 &&
		t.entry[new].state == ENTRY_FORMER &&
		t.entry[old].state == ENTRY_FORMER && entries() == 3,
	    "a former handler need not move");
}

static void
test_refused(void)
{
	int old;

	start("resp");
	old = find("a", ENTRY_CURRENT);
	begin();
	with("a", "resp", 2)->state_version = 2;
	ok(plan(bit(old)) == -1 &&
		strcmp(why,
		    "redis.conf:3: handler: /usr/lib/echod/handlers/resp.so: "
		    "its state has version 2, that of connections has 1, and "
		    "it has no migrate()") == 0,
	    "another state without migrate() is refused");
	ok(find("a", ENTRY_CURRENT) == old && entries() == 1,
	    "and nothing has changed");
	ok(plan(0) == 0, "but not if nobody has the former one");
	start("resp");
	image.entry[0].inode = 2;
	image.entry[0].state_version = 2;
	image.entry[0].migrates = 1;
	ok(plan(bit(old)) == 0, "nor with migrate()");
	start("resp");
	image.entry[0].in_max = 4095;
	ok(plan(bit(old)) == -1 && strstr(why, "in_max is 4095") != NULL,
	    "less input is refused");
	start("resp");
	image.entry[0].state_size = 24;
	ok(plan(bit(old)) == -1 && strstr(why, "both have version 1") != NULL,
	    "another size of the same version is refused");
	/* One that is replaced and has connections still must move, too. */
	start("resp");
	image.entry[0].inode = 2;
	ok(plan(bit(old)) == 0, "a second build");
	image.entry[0].inode = 3;
	image.entry[0].state_version = 2;
	ok(plan(bit(old)) == -1, "the first one cannot move to a third");
}

static void
test_removed(void)
{
	struct image_entry *e;
	int a, b, numbers;

	start("resp");
	with("b", "resp", 1);
	(void)plan(0);
	a = find("a", ENTRY_CURRENT);
	b = find("b", ENTRY_CURRENT);
	numbers = t.entry[a].number == 0 && t.entry[b].number == 1;
	ok(numbers, "services have numbers");
	begin();
	with("b", "resp", 1);
	ok(plan(bit(a)) == 0 && t.entry[a].state == ENTRY_REMOVED &&
		t.entry[a].deadline == 1000 && t.entry[b].number == 1 &&
		handler_table_current(&t, 0) == a &&
		handler_table_current(&t, 1) == b,
	    "a removed service drains, and has its last clients");
	with("c", "echo", 0);
	ok(plan(bit(a)) == 0 && find("c", ENTRY_CURRENT) >= 0 &&
		t.entry[find("c", ENTRY_CURRENT)].number == 2,
	    "its number is taken as long");
	begin();
	with("a", "resp", 1);
	with("b", "resp", 1);
	ok(plan(bit(a)) == 0 && find("a", ENTRY_CURRENT) == a &&
		t.entry[a].deadline == 0,
	    "it may come back");
	begin();
	with("b", "resp", 1);
	(void)plan(bit(a));
	begin();
	with("b", "resp", 1);
	e = with("a", "resp", 4);
	e->state_version = 2;
	ok(plan(bit(a)) == 0 && t.entry[a].state == ENTRY_FORMER,
	    "or come back as another, and what drained goes on as it was");
}

static void
test_full(void)
{
	uint64_t used = 0;
	int refused = 0, n;

	start("resp");
	for (n = 0; n < 100 && refused == 0; n++) {
		begin();
		with("a", n % 2 == 0 ? "daytime" : "resp", (uint64_t)n + 10)
		    ->state_version = (uint32_t)n + 10;
		for (int i = 0; i < HANDLER_ENTRIES; i++)
			if (t.entry[i].state == ENTRY_FORMER ||
			    t.entry[i].state == ENTRY_CURRENT)
				used |= bit(i);
		refused = plan(used) == -1;
	}
	ok(refused && n > HANDLER_ENTRIES - 4 &&
		strstr(why, "too many former handlers") != NULL,
	    "a full table refuses (after %d reloads)", n);
	ok(plan(0) == 0 && entries() == 1, "until its connections are gone");
}

int
main(void)
{
	test_same();
	test_replaced();
	test_former();
	test_refused();
	test_removed();
	test_full();
	return tap_done();
}
