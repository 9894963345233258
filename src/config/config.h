/* SPDX-License-Identifier: ISC */
/*
 * The configuration: one table of directives drives reading, bounds,
 * defaults, the dump (-T), and the tests that hold the documents to it.
 *
 * A configuration is built in the order defaults, file, command line, and
 * is applied whole or not at all: every function here either succeeds or
 * leaves an error text and a configuration nobody should use.
 */
#ifndef ECHOD_CONFIG_CONFIG_H
#define ECHOD_CONFIG_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/address.h"
#include "config/networks.h"

#define CONFIG_BIND_MAX 16 /* addresses in `bind`, as in Redis */
#define CONFIG_WORKERS_MAX 256
#define CONFIG_DEFAULT_FILE "redis.conf"
/* A value is shorter: iniparser 4.1 reads lines of up to 1024 bytes
 * (ASCIILINESZ). */
#define CONFIG_VALUE_BYTES 960
/* How deep files may include others, and how many there may be at all. */
#define CONFIG_INCLUDE_DEPTH 16
#define CONFIG_INCLUDE_FILES 256
/* Room for the names of included files that a value comes from. */
#define CONFIG_INCLUDED_BYTES 8192
/* Room for the reason why a value cannot be. */
#define CONFIG_WHY 256

enum supervised {
	SUPERVISED_NO,
	SUPERVISED_SYSTEMD,
	SUPERVISED_AUTO
};

/* The handlers there are; handler/handler.h says what they do. */
enum handler_kind {
	HANDLER_ECHO,
	HANDLER_RAW,
	HANDLER_DISCARD,
	HANDLER_KINDS
};

/* Whether connections begin with a PROXY header. */
enum proxy_protocol {
	PROXY_PROTOCOL_OFF,
	PROXY_PROTOCOL_ON,
	PROXY_PROTOCOL_OPTIONAL
};

/* Whether workers can make but the system calls they need. */
enum sandbox {
	SANDBOX_NO,
	SANDBOX_YES,
	SANDBOX_LOG
};

struct bind_address {
	/* An address as address_spell() has it ("*" is 0.0.0.0), or a name. */
	char host[ADDRESS_NAME_SIZE];
	bool named;    /* it is a name: to be resolved */
	bool optional; /* "-" before it: skip if not available */
};

/* What can be given in bytes, as a part of the memory there is, or not at
 * all; config_validate() makes bytes of it. */
struct memory_size {
	enum {
		MEMORY_BYTES,
		MEMORY_PERCENT,
		MEMORY_AUTO
	} kind;
	unsigned long long n;
};

struct bind_list {
	struct bind_address address[CONFIG_BIND_MAX];
	unsigned count;
};

enum origin {
	ORIGIN_DEFAULT,
	ORIGIN_FILE,
	ORIGIN_COMMAND_LINE
};

/* Whether a mistake in the file was about a directive. */
enum doubt {
	DOUBT_NONE,
	DOUBT_MAYBE, /* its name may have been meant */
	DOUBT_SURE
};

/* Where a value came from; one for each row of the directive table. */
struct setting {
	enum origin origin;
	unsigned line;	  /* of the file, if ORIGIN_FILE */
	unsigned file;	  /* which; config_origin_file() names it */
	enum doubt doubt; /* if `forgiving` */
	char note[176];	  /* "clamped from 10000: ...", "auto", or "" */
};

/* Redis directives that mean nothing here, as found in the file. */
struct ignored {
	char names[768]; /* separated by blanks, cut when full */
	unsigned count;
};

/* Clients of the control socket, and of the metrics, at a time. */
#define CONFIG_CONTROL_CLIENTS 100
#define CONFIG_METRICS_CLIENTS 32
/* A control socket's path, so that sun_path, unix(7), has room for it and for
 * the name it is made under. */
#define CONFIG_CONTROL_PATH 96

/* Of the memory there is, what clients' pending bytes may take by default,
 * in percent. */
#define CONFIG_MEMORY_SHARE 25

#define CONFIG_DIRECTIVES_MAX 48

struct config {
	struct bind_list bind;
	unsigned port;
	unsigned tcp_backlog;
	unsigned tcp_keepalive; /* s; 0 off */
	unsigned timeout;	/* s of silence; 0 never */
	unsigned maxclients;
	unsigned maxclients_per_ip;	      /* 0: any number */
	struct memory_size maxmemory_clients; /* 0: no limit */
	struct network_list allow, deny;
	unsigned accept_rate; /* clients a second; 0: any number */
	unsigned accept_burst;
	unsigned accept_rate_per_ip; /* the same from one address */
	unsigned proxy_protocol;     /* enum proxy_protocol */
	struct network_list proxy_trusted;
	unsigned proxy_protocol_timeout; /* s from accept to header */
	unsigned workers;		 /* 0: auto, until config_validate() */
	unsigned handler;		 /* enum handler_kind */
	unsigned shutdown_timeout;	 /* s */
	unsigned shutdown_delay;	 /* s */
	unsigned watchdog_timeout;	 /* s; 0 off */
	unsigned daemonize;		 /* bool */
	unsigned supervised;		 /* enum supervised */
	unsigned sandbox;		 /* enum sandbox */
	unsigned loglevel;		 /* enum log_level */
	unsigned syslog_enabled;	 /* bool */
	unsigned syslog_facility;	 /* LOG_LOCAL0 ... */
	char pidfile[PATH_MAX];		 /* absolute, or "" */
	char logfile[PATH_MAX];		 /* absolute strftime pattern, or "" */
	char syslog_ident[64];
	char user[64];
	char group[64];
	char control_socket[PATH_MAX]; /* absolute, or "" */
	unsigned control_socket_mode;  /* 0600 or 0660 */
	unsigned metrics_port;	       /* 0: none */
	char metrics_bind[64];	       /* a numeric address */

	char file[PATH_MAX]; /* as given; "" if none was read */
	/* Names of files that it includes, one behind the other. */
	char included[CONFIG_INCLUDED_BYTES];
	unsigned included_used;
	struct setting origin[CONFIG_DIRECTIVES_MAX];
	struct ignored ignored;

	/*
	 * For those that only ask something of the service: set after
	 * config_defaults(), it has mistakes in the file counted and passed
	 * over, and what this machine or user could not do noted.  Ask
	 * config_need() for what is to be relied upon.
	 */
	bool forgiving;
	unsigned mistakes;
	char mistake[PATH_MAX + 512]; /* the first one */
};

/* An error's text: "redis.conf:12: port: ..." */
struct config_error {
	char text[PATH_MAX + 512];
};

/* Fill `c` with the built-in defaults. */
void config_defaults(struct config *c);

/*
 * Read `path`, and what it includes, into `c`.  Accepts `name = value` (INI)
 * and Redis's `name value`.  Returns 0, or -1 with `e` naming file, line and
 * directive.
 */
int config_read_file(struct config *c, const char *path,
    struct config_error *e);

/* Apply one "name=value" of the command line.  Returns 0 or -1. */
int config_override(struct config *c, const char *assignment,
    struct config_error *e);

/*
 * Settle what depends on more than one directive or on the machine: `auto`
 * becomes a number, maxclients is clamped to `max_descriptors` (the hard
 * limit of descriptors), users are looked up, relative paths become
 * absolute against `directory` ("": there is none any more).  Returns 0 or -1.
 */
int config_validate(struct config *c, const char *directory,
    unsigned long max_descriptors, struct config_error *e);

/*
 * Whether the directive called `name` of a forgiving configuration is what the
 * service has: no mistake was about it, or the command line gives it.  Doubts
 * below `least` do not matter.  Returns 0, or -1 with the first mistake of the
 * file in `e`.
 */
int config_need(const struct config *c, const char *name, enum doubt least,
    struct config_error *e);

/* What config_validate() did to the directive called `name` ("clamped from
 * 10000: ..."), or "". */
const char *config_note(const struct config *c, const char *name);

/* The file that a value with ORIGIN_FILE comes from. */
const char *config_origin_file(const struct config *c, const struct setting *s);

/* Descriptors the service needs beside `maxclients` connections. */
unsigned config_reserved_descriptors(const struct config *c);

/* Print every directive with value and origin, in the file's own syntax.
 * Returns 0, or -1 with errno set if it cannot be written. */
int config_dump(const struct config *c, FILE *out);

/*
 * A resolved configuration as text for config_restore(), which gives back the
 * same: `put` is called with a key and a value for each item of it.  Another
 * version of the program may read it; keys it does not know mean nothing to
 * it.
 */
typedef void config_put(void *to, const char *key, const char *value);
void config_save(const struct config *c, config_put *put, void *to);

/* Take one item of config_save() back.  Returns 0, 1 if the key is none of
 * the configuration's, or -1 if its value cannot be. */
int config_restore(struct config *c, const char *key, const char *value);

/* Call `tell` for each directive that differs.  Returns how many do. */
typedef void config_tell(const char *name, const char *was, const char *is);
unsigned config_compare(const struct config *was, const struct config *is,
    config_tell *tell);

#endif
