/* SPDX-License-Identifier: ISC */
/*
 * The config reader and the strict conversions behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/directive.h"
#include "config/origin.h"
#include "config/reader.h"
#include "config/serialize.h"
#include "config/services.h"
#include "config/validate.h"
#include "config/value.h"
#include "tap.h"

static struct config c;
static struct config_error e;

/* Read `text` (with `len` bytes) as a file; returns what the reader does. */
static int
read_bytes(const char *text, size_t len)
{
	char path[] = "/tmp/echod-unit-XXXXXX";
	int fd = mkstemp(path), result;

	if (fd == -1 || write(fd, text, len) != (ssize_t)len)
		return -2;
	close(fd);
	config_defaults(&c);
	result = config_read_file(&c, path, &e);
	unlink(path);
	return result;
}

static int
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* The reader refuses `text` with a message that holds all the words. */
static int
refuses(const char *text, const char *word)
{
	return read_text(text) == -1 && strstr(e.text, word) != NULL;
}

static void
test_defaults(void)
{
	config_defaults(&c);
	ok(c.defaults.port == 6379 && c.defaults.maxclients == 10000 &&
		c.defaults.tcp_backlog == 511 &&
		c.defaults.tcp_keepalive == 300 && c.defaults.timeout == 0,
	    "Redis's defaults");
	ok(c.defaults.bind.count == 1 &&
		strcmp(c.defaults.bind.address[0].host, "0.0.0.0") == 0,
	    "bind 0.0.0.0");
	ok(c.shutdown_timeout == 10 && c.workers == 0 &&
		strcmp(c.defaults.handler, "echo") == 0,
	    "our own");
}

static void
test_spellings(void)
{
	ok(read_text("port = 7\n") == 0 && c.defaults.port == 7,
	    "name = value");
	ok(read_text("port=8") == 0 && c.defaults.port == 8,
	    "name=value, no newline");
	ok(read_text("\tport\t9  \r\n") == 0 && c.defaults.port == 9,
	    "name value, CRLF");
	ok(read_text("PORT 9\n") == 0 && c.defaults.port == 9, "letter case");
	ok(read_text("port = \"9\" # nine\n") == 0 && c.defaults.port == 9,
	    "quotes and comment");
	ok(read_text("logfile \"a # b; c.log\"\n") == 0 &&
		strcmp(c.logfile, "a # b; c.log") == 0,
	    "comment signs in quotes");
	ok(read_text("logfile = 'x y'\n") == 0 && strcmp(c.logfile, "x y") == 0,
	    "single quotes");
	ok(read_text("logfile \"\"\npidfile =\n") == 0 && c.logfile[0] == '\0',
	    "empty strings");
	ok(read_text("# a\n; b\n\n   \nport 5\n") == 0 &&
		c.defaults.port == 5 && origin_of(&c, "port")->line == 5,
	    "the line of a value is known");
	ok(read_text("bind * -::*\n") == 0 && c.defaults.bind.count == 2 &&
		strcmp(c.defaults.bind.address[1].host, "::") == 0 &&
		c.defaults.bind.address[1].optional &&
		!c.defaults.bind.address[0].optional,
	    "bind as Redis spells it");
	ok(read_text("bind ::ffff:10.0.0.1 0:0::1 FE80::1%eth0 -Host_1.a.\n") ==
		    0 &&
		c.defaults.bind.count == 4 &&
		strcmp(c.defaults.bind.address[0].host, "10.0.0.1") == 0 &&
		strcmp(c.defaults.bind.address[1].host, "::1") == 0 &&
		strcmp(c.defaults.bind.address[2].host, "fe80::1%eth0") == 0 &&
		strcmp(c.defaults.bind.address[3].host, "Host_1.a.") == 0 &&
		!c.defaults.bind.address[2].named &&
		c.defaults.bind.address[3].named,
	    "one spelling of each address, names as they are");
	ok(read_text("save 3600 1\nsave 300 100\nuser bob on +@all\n") == 0 &&
		c.ignored.count == 3 &&
		strcmp(c.ignored.names, "save save user") == 0,
	    "Redis's own directives are noted");
	ok(read_text("user bob # us\n") == 0 && strcmp(c.user, "bob") == 0,
	    "our user");
}

static void
test_refusals(void)
{
	ok(refuses("port = 99abc\n", ":1: port: \"99abc\""), "99abc");
	ok(refuses("port = 010\n", ":1: port: \"010\""), "010");
	ok(refuses("port = \n", ":1: port: \"\""), "an empty number");
	ok(refuses("port = -1\n", "port"), "a negative number");
	ok(refuses("port = +1\n", "port"), "a plus sign");
	ok(refuses("port = 65536\n", "too large (1 to 65535)"), "too large");
	ok(refuses("port = 0\n", "too small (1 to 65535)"), "too small");
	ok(refuses("port = 99999999999999999999\n", "too large"), "far too");
	ok(refuses("\nport 1\nport 2\n",
	       ":3: port: given twice, first in "
	       "line 2"),
	    "a duplicate, both lines named");
	ok(refuses("prot 1\n", "\"prot\"; did you mean \"port\"?"),
	    "a misspelt name");
	ok(refuses("maxcleints 1\n", "\"maxclients\""), "another");
	ok(refuses("appendonyl no\n", "\"appendonly\""), "one of Redis's");
	ok(refuses("zzzzzzzz 1\n", "unknown directive \"zzzzzzzz\"") &&
		strstr(e.text, "mean") == NULL,
	    "nothing near");
	ok(refuses("[server]\n", ":1: unknown section [server]"), "a section");
	ok(refuses("daemonize maybe\n", "neither yes nor no"), "a boolean");
	ok(refuses("loglevel loud\n", "debug, verbose, notice, warning"),
	    "a choice, with the choices");
	ok(refuses("bind 127.0.0.1 non/sense\n",
	       "\"non/sense\" is not an IPv4"),
	    "an address");
	ok(refuses("bind 300.1.1.1\n", "nor a host name") &&
		refuses("bind 1\n", "nor a host name") &&
		refuses("bind 0x7f000001\n", "nor a host name") &&
		refuses("bind a..b\n", "nor a host name") &&
		refuses("bind -a.b-\n", "nor a host name") &&
		refuses("bind 127.0.0.1:80\n", "nor a host name") &&
		refuses("bind ::1%lo\n", "nor a host name") &&
		refuses("bind fe80::1%\n", "nor a host name") &&
		refuses("bind localhost,::1\n", "nor a host name"),
	    "what is neither an address nor a name");
	ok(refuses("bind \"\"\n", "no address"), "no address");
	ok(refuses("logfile \"abc\n", "quote is not closed"), "a quote");
	ok(refuses("logfile \"a\" b\n", "after the closing"), "two words");
	ok(refuses("logfile a\\\nport 1\n", "backslash"), "a continuation");
	ok(refuses("= 5\n", "expected"), "no name");
	ok(read_bytes("port 1\0\n", 8) == -1 && strstr(e.text, "NUL"),
	    "a NUL byte");
}

static void
test_long_input(void)
{
	static char text[8000];

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "logfile ", 8);
	ok(refuses(text, "line is too long"), "a long line of ours");
	memcpy(text, "aclfile ", 8);
	ok(read_text(text) == 0, "a long line of Redis's");
	memcpy(text, "port 7 #", 8);
	ok(read_text(text) == 0 && c.defaults.port == 7, "a long comment");
	memset(text, 'x', 200);
	ok(refuses(text, "expected"), "a long name");
	memset(text, '"', sizeof(text) - 1);
	ok(read_text(text) == -1, "quotes only");
}

static void
test_unseen(void)
{
	ok(read_text("\xef\xbb\xbfport = 7\n") == 0 && c.defaults.port == 7 &&
		read_text("\xef\xbb\xbf# port\nport 8\n") == 0 &&
		c.defaults.port == 8,
	    "a byte order mark is skipped");
	ok(read_text("\xef\xbb\xbf") == 0, "a file of nothing else");
	ok(refuses("\xff\xfep", "UTF-16") && refuses("\xfe\xff", "UTF-16"),
	    "UTF-16");
	ok(refuses("port 1\n\xef\xbb\xbftimeout 2\n",
	       ":2: unknown directive "
	       "\"\\xef\\xbb\\xbftimeout\": byte 1 is a byte order mark"),
	    "a mark in the middle");
	ok(refuses("port\xc2\xa0= 7\n",
	       ":1: unknown directive "
	       "\"port\\xc2\\xa0\": byte 5 is a no-break space, \\xc2\\xa0; "
	       "did you mean \"port\"?"),
	    "a blank in a name");
	ok(refuses("\xd1\x80ort 7\n",
	       "\"\\xd1\\x80ort\"; did you mean "
	       "\"port\"?"),
	    "a letter that looks like another");
	ok(refuses("port = \xc2\xa0"
		   "7\n",
	       ":1: port: byte 1 is a no-break "
	       "space, \\xc2\\xa0"),
	    "a blank before a value");
	ok(refuses("port = 7\xe2\x80\x8b\n",
	       "port: byte 2 is a zero-width "
	       "space, \\xe2\\x80\\x8b"),
	    "one of no width behind it");
	ok(refuses("port 7\v\n",
	       "port: byte 2 is a control character, "
	       "\\x0b"),
	    "what iniparser takes off");
	ok(refuses("port 7\rtimeout 8\r",
	       "byte 2 is a control character, "
	       "\\x0d"),
	    "line ends of another age");
	ok(refuses("handler e\xd1\x81ho\n",
	       "byte 2 is not ASCII, "
	       "\\xd1\\x81"),
	    "a value of ASCII");
	ok(refuses("logfile /\xe9t\xe9\n", "byte 2 is not UTF-8, \\xe9"),
	    "a path that is not UTF-8");
	ok(refuses("logfile /\xed\xa0\x80\n", "byte 2 is not UTF-8, \\xed") &&
		refuses("logfile /\xc0\xaf\n", "byte 2 is not UTF-8, \\xc0") &&
		refuses("logfile /\xf4\x90\x80\x80\n", "\\xf4") &&
		refuses("logfile /\xe2\x82\n", "\\xe2"),
	    "almost UTF-8");
	ok(refuses("logfile \xe2\x80\x9cx\n", "begins with \\xe2\\x80\\x9c"),
	    "quotes of a word processor");
	ok(refuses("logfile \"x\"\xc2\xa0\n",
	       "after the closing quote: "
	       "\\xc2\\xa0"),
	    "a blank behind a quote");
	ok(read_text("logfile /\xc3\xa9/\xe6\x97\xa5/\xf0\x9f\x90\xa7\n") ==
		    0 &&
		strcmp(c.logfile,
		    "/\xc3\xa9/\xe6\x97\xa5/"
		    "\xf0\x9f\x90\xa7") == 0,
	    "letters of all kinds in a path");
	ok(read_text("port 7 # \xe9\xc2\xa0\n# \xff\nrequirepass \xff\xa0\n"
		     "\f\n") == 0,
	    "comments, and values of Redis's");
	ok(read_text("allow 10.0.0.0/8\t::1\n") == 0 &&
		c.defaults.allow.count == 2,
	    "a tab in a list");
}

static void
test_paths(void)
{
	config_defaults(&c);
	ok(config_override(&c, "logfile=~/x", &e) == -1 &&
		strstr(e.text,
		    "-o logfile: only a shell expands the ~ of "
		    "\"~/x\"") != NULL &&
		refuses("pidfile ~root/x\n", ":1: pidfile: only a shell") &&
		refuses("control-socket \"~\"\n", "control-socket: only a") &&
		refuses("include ~/x\n", ":1: include: only a shell"),
	    "a home directory");
	ok(refuses("logfile $HOME/x\n", "\"$HOME/x\"") &&
		refuses("logfile a/${X}\n", "\"${X}\""),
	    "a variable");
	ok(read_text("logfile ./~/a~b/$/c\n") == 0, "no more than a letter");
	ok(config_override(&c, "logfile=\"it's", &e) == -1 &&
		strstr(e.text, "quotes of both kinds") != NULL &&
		config_override(&c, "syslog-ident=it's;\"", &e) == -1 &&
		config_override(&c, "syslog-ident=it's\"", &e) == 0,
	    "what no file could say");
	ok(read_text("logfile stdout\n") == 0 && c.logfile[0] == '\0',
	    "standard output, as in Redis 2.6");
}

static void
keep_item(void *to, const char *key, const char *value)
{
	if (config_restore(to, key, value) == -1)
		ok(0, "%s = %s", key, value);
}

/* Returns the text of the dump, to be freed. */
static char *
dump_text(const struct config *config)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out != NULL &&
	    (config_dump(config, out) == -1 || fclose(out) == EOF))
		return NULL;
	return text;
}

static void
test_serialize(void)
{
	static struct config other;
	static const char included[] = "timeout 9\n",
			  file[] =
			      "port 7\n"
			      "include echod-unit-included\nmaxclients 5\n";
	const char path[] = "/tmp/echod-unit-included";
	FILE *out = fopen(path, "we");
	char *was, *is;

	if (out == NULL || fputs(included, out) == EOF || fclose(out) == EOF)
		ok(0, "%s", path);
	ok(read_text(file) == 0 && c.defaults.timeout == 9 &&
		c.defaults.maxclients == 5,
	    "a file that is included");
	unlink(path);
	config_defaults(&other);
	config_save(&c, keep_item, &other);
	was = dump_text(&c);
	is = dump_text(&other);
	ok(was != NULL && is != NULL && strcmp(was, is) == 0 &&
		strstr(is, "# /tmp/echod-unit-included:1\n") != NULL,
	    "what is handed on names the file of each value");
	free(was);
	free(is);
}

/* What config_compare() has told of. */
static char told[2048];

static void
tell(const char *name, const char *was, const char *is)
{
	size_t n = strlen(told);

	snprintf(told + n, sizeof(told) - n, "%s: %s -> %s\n", name, was, is);
}

static const char *
compared(const struct config *was, const char *text)
{
	told[0] = '\0';
	if (read_text(text) == -1 || services_settle(&c, &e) == -1)
		return e.text;
	config_compare(was, &c, tell);
	return told;
}

static void
test_services(void)
{
	static struct config other;
	static const char file[] = "timeout 9\nhandler.a 1\nmaxclients 50\n"
				   "[service one]\nport 7\nhandler.b \"2 2\"\n"
				   "[service a.b]\nport 8\nmaxclients 3\n"
				   "handler = /x/y.so\nhandler.c 3\n";
	char *was, *is;

	ok(read_text(file) == 0 && services_settle(&c, &e) == 0 &&
		c.services == 2 && strcmp(c.service[1].name, "a.b") == 0 &&
		c.service[0].timeout == 9 && c.service[0].maxclients == 0 &&
		c.service[1].maxclients == 3 && c.service[1].port == 8,
	    "what a section sets, and what it inherits");
	ok(c.service[0].options == 2 && c.service[1].options == 1 &&
		strcmp(c.service[0].option[1].name, "a") == 0 &&
		strcmp(c.service[0].option[0].value, "2 2") == 0,
	    "options are inherited with the handler only");
	config_defaults(&other);
	config_save(&c, keep_item, &other);
	was = dump_text(&c);
	is = dump_text(&other);
	ok(was != NULL && is != NULL && strcmp(was, is) == 0 &&
		strstr(is, "inherited") != NULL,
	    "services are handed on");
	ok(read_text(is) == 0 && services_settle(&c, &e) == 0 &&
		config_compare(&other, &c, tell) == 0,
	    "the dump of services says the same");
	free(was);
	free(is);
	ok(strcmp(compared(&other,
		      "timeout 8\nhandler.a 1\nmaxclients 50\n"
		      "[service one]\nport 9\nhandler.b 3\n"
		      "[service new]\nport 10\nhandler raw\n"),
	       "timeout: 9 -> 8\n"
	       "service a.b: port 8, handler /x/y.so -> \n"
	       "service one: port: 7 -> 9\n"
	       "service one: handler.b: 2 2 -> 3\n"
	       "service new:  -> port 10, handler raw\n") == 0,
	    "what differs between services");
	ok(read_text("port 5\n") == 0 && services_settle(&c, &e) == 0 &&
		c.services == 1 && c.service[0].port == 5 &&
		strcmp(c.service[0].name, "default") == 0 &&
		!services_have_sections(&c),
	    "without sections there is one service");
	ok(config_restore(&other, "service.none.set.port", "1") == 1 &&
		config_restore(&other, "service.a.b.set.none", "1") == 1 &&
		config_restore(&other, "section", "A.B") == -1 &&
		config_restore(&other, "section", "a b") == -1,
	    "what another version hands on");
}

static void
test_names(void)
{
	ok(directive_known_to_redis("slaveof") &&
		directive_known_to_redis("VM-enabled") &&
		directive_known_to_redis("lua-replicate-commands") &&
		directive_known_to_redis("server_cpulist") &&
		directive_known_to_redis("commandlog-reply-larger-than"),
	    "names of many years");
	ok(directive_known_to_redis("search-on-oom") &&
		directive_known_to_redis("ft.timeout") &&
		!directive_known_to_redis("search-\xc2\xa0x") &&
		!directive_known_to_redis("search-*") &&
		!directive_known_to_redis("search") &&
		!directive_known_to_redis(".x") &&
		!directive_known_to_redis("x."),
	    "names of modules");
}

static void
test_round_trip(void)
{
	char text[512], why[256];
	int good = 1;

	config_defaults(&c);
	for (unsigned i = 0; i < directive_count; i++) {
		value_format(&c, &c.defaults, &directives[i], text,
		    sizeof(text));
		good = good &&
		    value_set(&c, &c.defaults, &directives[i], text, why,
			sizeof(why)) == 0 &&
		    strcmp(text, directives[i].initial) == 0;
	}
	ok(good, "every default is formatted as it was written");
}

static void
test_overrides(void)
{
	config_defaults(&c);
	ok(config_override(&c, "port=12", &e) == 0 && c.defaults.port == 12,
	    "-o");
	ok(config_override(&c, "port = 13", &e) == 0 && c.defaults.port == 13,
	    "-o with blanks; the last one counts");
	ok(config_override(&c, "port 13", &e) == -1, "-o needs =");
	ok(config_override(&c, "prt=13", &e) == -1 &&
		strstr(e.text, "\"port\"") != NULL,
	    "-o, misspelt");
}

static void
test_resolution(void)
{
	config_defaults(&c);
	ok(config_validate(&c, "/", 1000000, &e) == 0 && c.workers >= 1,
	    "auto becomes a number");
	config_defaults(&c);
	c.workers = 2;
	ok(config_validate(&c, "/", 1000, &e) == 0 &&
		c.defaults.maxclients ==
		    1000 - config_reserved_descriptors(&c) &&
		strstr(config_note(&c, "maxclients"), "clamped from 10000") !=
		    NULL &&
		strstr(config_note(&c, "maxclients"), "1000 ") != NULL,
	    "maxclients is clamped, both numbers are said");
	config_defaults(&c);
	ok(config_validate(&c, "/", 10, &e) == -1, "no room for any client");
	config_defaults(&c);
	strcpy(c.logfile, "logs/x");
	ok(config_validate(&c, "/", 1000000, &e) == 0 && c.logfile[0] == '/' &&
		strstr(c.logfile, "/logs/x") != NULL,
	    "paths become absolute");
}

int
main(void)
{
	test_defaults();
	test_spellings();
	test_refusals();
	test_long_input();
	test_unseen();
	test_paths();
	test_serialize();
	test_services();
	test_names();
	test_round_trip();
	test_overrides();
	test_resolution();
	return tap_done();
}
