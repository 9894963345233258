/* SPDX-License-Identifier: ISC */
/*
 * The RESP module: conversations, each also cut at every place, and its limits.
 * tests/system/resp.bats compares the replies with those of redis-server.
 */
#include <stdlib.h>
#include <string.h>

#include "../../modules/resp/resp.h"
#include "conversation.h"
#include "handler/contract.h"
#include "tap.h"

/* Bytes that may have NULs. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *name;
	const char *in;
	size_t in_len;
	const char *out;
	bool ends; /* without an EOF */
} talks[] = {
	{ "PING, inline and as an array",
	    BYTES("PING\r\nping\n*1\r\n$4\r\nPing\r\n"),
	    "+PONG\r\n+PONG\r\n+PONG\r\n", false },
	{ "PING and ECHO with a message",
	    BYTES("PING a\r\n*2\r\n$4\r\nECHO\r\n$3\r\n\r\nb\r\necho ''\r\n"),
	    "$1\r\na\r\n$3\r\n\r\nb\r\n$0\r\n\r\n", false },
	{ "empty requests have no reply",
	    BYTES("\r\n \t\r\n*0\r\n*-1\r\nPING\r\n"), "+PONG\r\n", false },
	{ "the quotes of inline commands",
	    BYTES("ECHO \"a\\x41\\n\\\"\\q\\xz\"\r\nECHO 'it\\'s \\n'\r\n"
		  "ECHO a\"b c\"\r\n"),
	    "$7\r\naA\n\"qxz\r\n$7\r\nit's \\n\r\n$4\r\nab c\r\n", false },
	{ "quotes without an end", BYTES("PING\r\nECHO \"a\r\nPING\r\n"),
	    "+PONG\r\n-ERR Protocol error: unbalanced quotes in request\r\n",
	    true },
	{ "something behind a quote", BYTES("ECHO 'a'b\r\nPING\r\n"),
	    "-ERR Protocol error: unbalanced quotes in request\r\n", true },
	{ "an unknown command", BYTES("foo\r\nfoo a 'b\r\n'\r\n"),
	    "-ERR unknown command 'foo', with args beginning with: \r\n"
	    "-ERR Protocol error: unbalanced quotes in request\r\n",
	    true },
	{ "what an error cites has no CR or LF",
	    BYTES("*2\r\n$3\r\nf\rx\r\n$2\r\na\n\r\n"),
	    "-ERR unknown command 'f x', with args beginning with: 'a ' \r\n",
	    false },
	{ "wrong numbers of arguments",
	    BYTES("PING a b\r\nECHO\r\nclient id 1\r\nCLIENT\r\nTIME x\r\n"),
	    "-ERR wrong number of arguments for 'ping' command\r\n"
	    "-ERR wrong number of arguments for 'echo' command\r\n"
	    "-ERR wrong number of arguments for 'client|id' command\r\n"
	    "-ERR wrong number of arguments for 'client' command\r\n"
	    "-ERR wrong number of arguments for 'time' command\r\n",
	    false },
	{ "an unknown subcommand", BYTES("client foo\r\n"),
	    "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n", false },
	{ "SELECT",
	    BYTES("SELECT 15\r\nSELECT 16\r\nSELECT -1\r\nSELECT 1x\r\n"),
	    "+OK\r\n-ERR DB index is out of range\r\n"
	    "-ERR DB index is out of range\r\n"
	    "-ERR value is not an integer or out of range\r\n",
	    false },
	{ "names, RESET, and nothing in RESP2 and RESP3",
	    BYTES("CLIENT SETNAME x\r\nCLIENT GETNAME\r\nRESET\r\n"
		  "CLIENT GETNAME\r\nCLIENT SETNAME 'a b'\r\n"
		  "HELLO 3 SETNAME y NO\r\nCLIENT GETNAME\r\nHELLO 4\r\n"),
	    "+OK\r\n$1\r\nx\r\n+RESET\r\n$-1\r\n"
	    "-ERR Client names cannot contain spaces, newlines or special "
	    "characters.\r\n-ERR Syntax error in HELLO option 'NO'\r\n"
	    "$1\r\ny\r\n-NOPROTO unsupported protocol version\r\n",
	    false },
	{ "RESET, from RESP3",
	    BYTES("CLIENT REPLY SKIP\r\nHELLO 3\r\nCLIENT GETNAME\r\n"
		  "RESET\r\nCLIENT GETNAME\r\n"),
	    "_\r\n+RESET\r\n$-1\r\n", false },
	{ "AUTH",
	    BYTES("AUTH x\r\nAUTH a b\r\nAUTH default b\r\n"
		  "HELLO 2 AUTH a b\r\n"),
	    "-ERR AUTH <password> called without any password configured for "
	    "the default user. Are you sure your configuration is "
	    "correct?\r\n"
	    "-WRONGPASS invalid username-password pair or user is "
	    "disabled.\r\n+OK\r\n"
	    "-WRONGPASS invalid username-password pair or user is "
	    "disabled.\r\n",
	    false },
	{ "CLIENT REPLY",
	    BYTES("CLIENT REPLY SKIP\r\nPING\r\nPING 1\r\n"
		  "CLIENT REPLY OFF\r\nPING\r\nECHO x\r\nfoo\r\n"
		  "CLIENT REPLY ON\r\nPING 2\r\n"),
	    "$1\r\n1\r\n+OK\r\n$1\r\n2\r\n", false },
	{ "TIME", BYTES("TIME\r\n"),
	    "*2\r\n$10\r\n1795627412\r\n$6\r\n345000\r\n", false },
	{ "COMMAND INFO, and nothing for an unknown one",
	    BYTES("COMMAND INFO ping no\r\nCOMMAND GETKEYS ping x\r\n"),
	    "*2\r\n*10\r\n$4\r\nping\r\n:-1\r\n*1\r\n+fast\r\n:0\r\n:0\r\n"
	    ":0\r\n*2\r\n+@fast\r\n+@connection\r\n*2\r\n"
	    "$25\r\nrequest_policy:all_shards\r\n"
	    "$29\r\nresponse_policy:all_succeeded\r\n*0\r\n*0\r\n$-1\r\n"
	    "-ERR The command has no key arguments\r\n",
	    false },
	{ "QUIT is the end", BYTES("QUIT\r\nPING\r\n"), "+OK\r\n", true },
	{ "HTTP has no answer", BYTES("POST / HTTP/1.1\r\nHost: a\r\n"), "",
	    true },
	{ "a count that is no number", BYTES("PING\r\n*x\r\nPING\r\n"),
	    "+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n",
	    true },
	{ "a count with a needless zero", BYTES("*01\r\n"),
	    "-ERR Protocol error: invalid multibulk length\r\n", true },
	{ "a count that is too large", BYTES("*2147483648\r\n"),
	    "-ERR Protocol error: invalid multibulk length\r\n", true },
	{ "a negative length", BYTES("*1\r\n$-1\r\n"),
	    "-ERR Protocol error: invalid bulk length\r\n", true },
	{ "a length over 512 MB", BYTES("*1\r\n$536870913\r\n"),
	    "-ERR Protocol error: invalid bulk length\r\n", true },
	{ "something else than a bulk string", BYTES("*1\r\nPING\r\n"),
	    "-ERR Protocol error: expected '$', got 'P'\r\n", true },
	{ "a line with a NUL has no end", BYTES("PING\0\r\nPING\r\n"), "",
	    false },
};
#define TALKS (sizeof(talks) / sizeof(talks[0]))

static bool
same(const struct conversation *c, const char *out, size_t n)
{
	if (c->broken != NULL)
		printf("# it broke a promise: %s\n", c->broken);
	return c->broken == NULL && c->out_len == n &&
	    (n == 0 || memcmp(c->out, out, n) == 0);
}

/* The input in two pieces, then in single bytes, and before the first step. */
static bool
cut_anywhere(size_t n)
{
	size_t all = talks[n].in_len, out = strlen(talks[n].out);
	struct conversation c;
	bool good = true;

	for (size_t cut = 0; cut <= all && good; cut++) {
		conversation_begin(&c, &echod_handler);
		if (cut % 2 == 0)
			conversation_open(&c);
		conversation_feed(&c, talks[n].in, cut);
		conversation_feed(&c, talks[n].in + cut, all - cut);
		good = same(&c, talks[n].out, out) &&
		    c.finished == talks[n].ends;
		conversation_end(&c);
		good = good && same(&c, talks[n].out, out) && c.finished;
		conversation_free(&c);
	}
	conversation_begin(&c, &echod_handler);
	for (size_t i = 0; i < all; i++)
		conversation_feed(&c, talks[n].in + i, 1);
	conversation_end(&c);
	good = good && same(&c, talks[n].out, out);
	if (!good)
		printf("# %.*s\n", (int)c.out_len, c.out);
	conversation_free(&c);
	return good;
}

/* At each byte: what was sent until then is the start of all, and it ends. */
static bool
end_anywhere(size_t n)
{
	bool good = true;

	for (size_t cut = 0; cut <= talks[n].in_len && good; cut++) {
		struct conversation c;

		conversation_begin(&c, &echod_handler);
		conversation_feed(&c, talks[n].in, cut);
		conversation_end(&c);
		good = c.broken == NULL && c.finished &&
		    strncmp(talks[n].out, c.out_len > 0 ? c.out : "",
			c.out_len) == 0;
		conversation_free(&c);
	}
	return good;
}

static void
test_talks(void)
{
	bool ends = true;

	for (size_t n = 0; n < TALKS; n++) {
		ok(cut_anywhere(n), "%s, however it is cut", talks[n].name);
		ends = ends && end_anywhere(n);
	}
	ok(ends, "an end at any byte is the end");
}

/* Feed all of it in pieces of random size. */
static void
feed(struct conversation *c, const char *data, size_t n, size_t most)
{
	while (n > 0 && !c->finished) {
		size_t part = 1 + (size_t)rand() % most;

		if (part > n)
			part = n;
		conversation_feed(c, data, part);
		data += part;
		n -= part;
	}
}

/* The request begins and the reply is as said, with a message of `n` letters
 * between. */
static bool
message(const char *before, const char *after, size_t n, size_t most)
{
	size_t head = strlen(before), tail = strlen(after);
	char *in = malloc(head + n + tail), *out = malloc(n + 64);
	struct conversation c;
	bool good;
	int length;

	memcpy(in, before, head);
	for (size_t i = 0; i < n; i++)
		in[head + i] = (char)('a' + rand() % 26);
	memcpy(in + head + n, after, tail);
	length = snprintf(out, 64, "$%zu\r\n", n);
	memcpy(out + length, in + head, n);
	memcpy(out + length + n, "\r\n$1\r\nx\r\n", 9);
	conversation_begin(&c, &echod_handler);
	feed(&c, in, head + n + tail, most);
	feed(&c, "PING x\r\n", 8, 8);
	good = same(&c, out, (size_t)length + n + 9);
	if (!good)
		printf("# %zu letters in pieces of %zu: %zu\n", n, most,
		    c.out_len);
	conversation_free(&c);
	free(in);
	free(out);
	return good;
}

static void
test_messages(void)
{
	static const size_t sizes[] = { 0, 1, RESP_WHOLE_MAX - 3,
		RESP_WHOLE_MAX - 2, RESP_WHOLE_MAX - 1, RESP_REPLY_MAX,
		RESP_OUT_MAX, RESP_IN_MAX - 20, RESP_IN_MAX, 1 << 20 };
	char before[64];
	bool good = true;

	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		snprintf(before, sizeof(before), "*2\r\n$4\r\nECHO\r\n$%zu\r\n",
		    sizes[n]);
		good = message(before, "\r\n", sizes[n], 1 << 20) && good;
		good = message(before, "\r\n", sizes[n], 5000) && good;
		if (sizes[n] <= RESP_REPLY_MAX)
			good = message(before, "\r\n", sizes[n], 1) && good;
	}
	ok(good, "a message may be longer than input and output");
	good = true;
	for (size_t n = RESP_OUT_MAX - 100; n < RESP_OUT_MAX + 2; n++)
		good = message("ECHO ", "\r\n", n, 9000) && good;
	for (size_t n = RESP_IN_MAX - 20; n < RESP_IN_MAX - 6; n++)
		good = message("ECHO ", "\r\n", n, RESP_IN_MAX) && good;
	ok(good, "and so may a message in a line");
}

/* A command with one long argument, which is not a message. */
static void
long_argument(struct conversation *c, const char *command, size_t n)
{
	char *in = malloc(n + 64);
	int length = snprintf(in, 64, "%s$%zu\r\n", command, n);

	memset(in + length, 'x', n);
	memcpy(in + (size_t)length + n, "\r\n", 2);
	feed(c, in, (size_t)length + n + 2, 3000);
	free(in);
}

static void
test_long_arguments(void)
{
	char out[256], xs[RESP_KEEP_MAX + 1];
	struct conversation c;
	int n;

	memset(xs, 'x', RESP_KEEP_MAX);
	xs[RESP_KEEP_MAX] = '\0';
	n = snprintf(out, sizeof(out),
	    "-ERR unknown command 'foo', with args beginning with: '%s' \r\n",
	    xs);
	conversation_begin(&c, &echod_handler);
	long_argument(&c, "*2\r\n$3\r\nfoo\r\n", 100000);
	ok(same(&c, out, (size_t)n), "the start of a long argument is cited");
	conversation_free(&c);

	n = snprintf(out, sizeof(out),
	    "+OK\r\n$128\r\n%s\r\n"
	    "-ERR Client names cannot be longer than 128 bytes.\r\n",
	    xs);
	conversation_begin(&c, &echod_handler);
	long_argument(&c, "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n", 128);
	conversation_feed(&c, BYTES("CLIENT GETNAME\r\n"));
	long_argument(&c, "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n", 129);
	ok(same(&c, out, (size_t)n), "a name has at most 128 bytes");
	conversation_free(&c);

	conversation_begin(&c, &echod_handler);
	conversation_feed(&c, BYTES("CLIENT REPLY OFF\r\n"));
	long_argument(&c, "*2\r\n$4\r\nECHO\r\n", 100000);
	conversation_feed(&c, BYTES("CLIENT REPLY ON\r\n"));
	ok(same(&c, "+OK\r\n", 5), "a long message has no reply if none has");
	conversation_free(&c);
}

/* Returns true if `n` times `what`, after `before`, has this one reply and the
 * end. */
static bool
refused(const char *before, char what, size_t n, const char *error)
{
	char *in = malloc(n), out[128];
	struct conversation c;
	bool good;
	int length = snprintf(out, sizeof(out), "-ERR Protocol error: %s\r\n",
	    error);

	memset(in, what, n);
	conversation_begin(&c, &echod_handler);
	conversation_feed(&c, before, strlen(before));
	good = c.out_len == 0;
	feed(&c, in, n, 3000);
	good = good && c.finished && same(&c, out, (size_t)length);
	conversation_free(&c);
	free(in);
	return good;
}

static void
test_limits(void)
{
	struct conversation c;
	char why[256];

	ok(contract_check_handler(&echod_handler, why, sizeof(why)) == 0 &&
		sizeof(struct resp_state) <= 1024,
	    "the handler is a handler, with a state of %zu bytes",
	    sizeof(struct resp_state));
	ok(refused("", 'a', RESP_IN_MAX, "too big inline request"),
	    "a line of 64 KiB has no end");
	ok(refused("*", '1', RESP_IN_MAX, "too big mbulk count string"),
	    "nor has the count of an array");
	ok(refused("*1\r\n$", '1', RESP_IN_MAX, "too big bulk count string"),
	    "nor has the length of a bulk string");
	conversation_begin(&c, &echod_handler);
	conversation_feed(&c, BYTES("*99\r\n$3\r\nfoo\r\n"));
	for (int n = 0; n < 98; n++)
		conversation_feed(&c, BYTES("$0\r\n\r\n"));
	/* Redis cites so many bytes of them. */
	ok(c.broken == NULL && c.out_len == 54 + 43 * 3 + 2,
	    "of many arguments the first ones are cited");
	conversation_free(&c);
}

/* Each reply fits, or has an error in its place. */
static void
test_replies(void)
{
	static const char *const long_ones[] = { "COMMAND\r\n",
		"COMMAND DOCS\r\n", "COMMAND LIST\r\n", "CLIENT HELP\r\n",
		"INFO\r\n", "CLIENT LIST\r\n", "HELLO 3\r\nINFO\r\nCOMMAND\r\n",
		"HELLO\r\n" };
	struct conversation c;
	bool good = true;

	for (size_t n = 0; n < sizeof(long_ones) / sizeof(long_ones[0]); n++) {
		conversation_begin(&c, &echod_handler);
		conversation_feed(&c, long_ones[n], strlen(long_ones[n]));
		good = good && c.broken == NULL && c.out_len > 10 &&
		    c.out_len < RESP_REPLY_MAX && c.out[0] != '-';
		conversation_free(&c);
	}
	ok(good, "the longest replies fit");
	conversation_begin(&c, &echod_handler);
	conversation_feed(&c, BYTES("COMMAND INFO"));
	for (int n = 0; n < 2000; n++)
		conversation_feed(&c, BYTES(" info"));
	conversation_feed(&c, BYTES("\r\nPING\r\n"));
	ok(same(&c, BYTES("-ERR the reply is too long\r\n+PONG\r\n")),
	    "one that does not fit is an error");
	conversation_free(&c);
}

/* A client that sends without end, and reads later: 64 KiB of input at once. */
static void
test_pipeline(void)
{
	struct conversation c;
	char *in = malloc(60000);
	bool good = true;

	for (size_t n = 0; n < 60000; n += 6)
		memcpy(in + n, "PING\r\n", 6);
	conversation_begin(&c, &echod_handler);
	conversation_feed(&c, in, 60000);
	for (size_t n = 0; n < c.out_len; n += 7)
		good = good && memcmp(c.out + n, "+PONG\r\n", 7) == 0;
	ok(good && c.broken == NULL && c.out_len == 70000 && c.steps < 15,
	    "10,000 commands at once are few steps");
	conversation_free(&c);
	/* 30 messages of 1,977 bytes, which are whole although not all fit. */
	memset(in, 'x', 60000);
	for (size_t n = 0; n < 60000; n += 2000) {
		memcpy(in + n, "*2\r\n$4\r\nECHO\r\n$1977\r\n", 21);
		memcpy(in + n + 1998, "\r\n", 2);
	}
	conversation_begin(&c, &echod_handler);
	conversation_feed(&c, in, 60000);
	ok(c.broken == NULL && c.out_len == 30 * (7 + 1977 + 2) &&
		memchr(c.out, '-', c.out_len) == NULL,
	    "messages at once are whole");
	conversation_free(&c);
	free(in);
}

int
main(void)
{
	test_talks();
	test_messages();
	test_long_arguments();
	test_limits();
	test_replies();
	test_pipeline();
	return tap_done();
}
