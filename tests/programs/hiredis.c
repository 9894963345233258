/* SPDX-License-Identifier: ISC */
/*
 * A client of the RESP module by way of libhiredis: hiredis PORT FILE.  Over
 * one connection it asks again and again, until FILE exists.  It says which
 * reply is wrong.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPELINED 1000

static redisContext *server;

static void
fail(const char *what, const redisReply *r)
{
	printf("%s: %s\n", what,
	    r == NULL		 ? server->errstr
		: r->str != NULL ? r->str
				 : "?");
	exit(1);
}

/* A reply of this type and text; NULL: any. */
static void
expect(redisReply *r, int type, const char *text, size_t n)
{
	if (r == NULL || r->type != type ||
	    (text != NULL && (r->len != n || memcmp(r->str, text, n) != 0)))
		fail("another reply", r);
	freeReplyObject(r);
}

static void
echo(size_t n)
{
	char *message = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		message[i] = (char)rand();
	expect(redisCommand(server, "ECHO %b", message, n), REDIS_REPLY_STRING,
	    message, n);
	free(message);
}

static void
pipeline(void)
{
	char text[32];
	void *r;

	for (int n = 0; n < PIPELINED; n++)
		redisAppendCommand(server, n % 2 == 0 ? "PING" : "ECHO %d", n);
	for (int n = 0; n < PIPELINED; n++) {
		if (redisGetReply(server, &r) != REDIS_OK)
			fail("pipeline", NULL);
		snprintf(text, sizeof(text), "%d", n);
		if (n % 2 == 0)
			expect(r, REDIS_REPLY_STATUS, "PONG", 4);
		else
			expect(r, REDIS_REPLY_STRING, text, strlen(text));
	}
}

int
main(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = 60 };
	redisReply *r;
	long long id;
	int rounds = 0;

	if (argc != 3)
		return 2;
	server = redisConnectWithTimeout("127.0.0.1", atoi(argv[1]), patience);
	if (server == NULL || server->err != 0 ||
	    redisSetTimeout(server, patience) != REDIS_OK)
		fail("connect", NULL);
	r = redisCommand(server, "CLIENT ID");
	if (r == NULL || r->type != REDIS_REPLY_INTEGER)
		fail("CLIENT ID", r);
	id = r->integer;
	freeReplyObject(r);
	expect(redisCommand(server, "CLIENT SETNAME tester"),
	    REDIS_REPLY_STATUS, "OK", 2);
	do {
		expect(redisCommand(server, "PING"), REDIS_REPLY_STATUS, "PONG",
		    4);
		echo(0);
		echo((size_t)rand() % 5000);
		echo(200000);
		pipeline();
		expect(redisCommand(server, "CLIENT GETNAME"),
		    REDIS_REPLY_STRING, "tester", 6);
		expect(redisCommand(server, "GET key"), REDIS_REPLY_ERROR, NULL,
		    0);
		r = redisCommand(server, "CLIENT ID");
		if (r == NULL || r->integer != id)
			fail("another connection", r);
		freeReplyObject(r);
		rounds++;
	} while (access(argv[2], F_OK) != 0);
	redisFree(server);
	printf("%d rounds\n", rounds);
	return 0;
}
