/* SPDX-License-Identifier: ISC */
/*
 * The configuration as a structure.  The table in config/directive.c drives
 * parsing, bounds, defaults, the dump (-T), and the tests that compare it with
 * the documents.
 *
 * A configuration is built in this order: config_defaults() (config/value.h),
 * config_read_file() and config_override() (config/reader.h), and
 * config_validate() (config/validate.h).  It is applied whole or not at all: if
 * one of them fails, it leaves an error text, and the configuration must not be
 * used.
 */
#ifndef ECHOD_CONFIG_CONFIG_H
#define ECHOD_CONFIG_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/address.h"
#include "config/networks.h"

#define CONFIG_BIND_MAX 16 /* addresses in `bind`, as in Redis */
#define CONFIG_WORKERS_MAX 256
#define CONFIG_DEFAULT_FILE "redis.conf"
/* A value is shorter than this, since iniparser 4.1 reads lines of at most 1024
 * bytes (ASCIILINESZ). */
#define CONFIG_VALUE_BYTES 960
/* How deep files may include others, and the number of all included files. */
#define CONFIG_INCLUDE_DEPTH 16
#define CONFIG_INCLUDE_FILES 256
/* Room for the names of the included files that values come from. */
#define CONFIG_INCLUDED_BYTES 8192
/* Room for the reason why a value is invalid. */
#define CONFIG_WHY 256

enum supervised {
	SUPERVISED_NO,
	SUPERVISED_SYSTEMD,
	SUPERVISED_AUTO
};

/* Whether connections begin with a PROXY header. */
enum proxy_protocol {
	PROXY_PROTOCOL_OFF,
	PROXY_PROTOCOL_ON,
	PROXY_PROTOCOL_OPTIONAL
};

/* Whether workers are limited to the system calls that they need. */
enum sandbox {
	SANDBOX_NO,
	SANDBOX_YES,
	SANDBOX_LOG
};

struct bind_address {
	/* An address as address_spell() writes it ("*" is 0.0.0.0), or a
	 * name. */
	char host[ADDRESS_NAME_SIZE];
	bool named;    /* a name, which must be resolved */
	bool optional; /* "-" before it: skipped if not available */
};

/* An amount in bytes, a percentage of the memory, or "auto".
 * config_validate() turns each into bytes. */
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

/* Whether a mistake in the file concerns a directive. */
enum doubt {
	DOUBT_NONE,
	DOUBT_MAYBE, /* it may be the directive that was meant */
	DOUBT_SURE
};

/* Where a value comes from; one for each row of the directive table. */
struct setting {
	enum origin origin;
	bool inherited;	  /* a service has it from the top of the file */
	unsigned line;	  /* of the file, if ORIGIN_FILE */
	unsigned file;	  /* for config_origin_file() */
	enum doubt doubt; /* if `forgiving` */
	char note[176];	  /* "clamped from 10000: ...", "auto", or "" */
};

/* The Redis directives in the file that have no effect here. */
struct ignored {
	char names[768]; /* separated by blanks, cut when full */
	unsigned count;
};

/* The number of clients that the control socket and the metrics serve at a
 * time. */
#define CONFIG_CONTROL_CLIENTS 100
#define CONFIG_METRICS_CLIENTS 32
/* The longest path of a control socket.  sun_path (unix(7)) has room for it and
 * for the temporary name under which the socket is created. */
#define CONFIG_CONTROL_PATH 96

/* The default share of the memory for the pending bytes of clients, in
 * percent. */
#define CONFIG_MEMORY_SHARE 25

#define CONFIG_DIRECTIVES_MAX 48
/* The directives that each service has for itself. */
#define CONFIG_SERVICE_DIRECTIVES_MAX 20
#define CONFIG_SERVICES_MAX 16
#define CONFIG_SERVICE_NAME 32 /* bytes, with its NUL */
/* The only service of a configuration without sections. */
#define CONFIG_SERVICE_DEFAULT "default"
#define CONFIG_OPTIONS_MAX 16 /* of a handler */
#define CONFIG_OPTION_NAME 64 /* bytes, with its NUL */

/* `handler.NAME = VALUE`: what a handler is told.  Its configure() knows what
 * it means. */
struct handler_option {
	char name[CONFIG_OPTION_NAME];
	char value[CONFIG_VALUE_BYTES];
	struct setting setting;
};

/* The values of one service, or those at the top of the file. */
struct service_config {
	char name[CONFIG_SERVICE_NAME]; /* "": the top of the file */
	struct bind_list bind;
	unsigned port;
	unsigned tcp_backlog;
	unsigned tcp_keepalive; /* s; 0 off */
	unsigned timeout;	/* s of silence; 0 never */
	/* At the top: of all services together.  In a service: its own limit,
	 * 0 if it has none. */
	unsigned maxclients;
	unsigned maxclients_per_ip; /* 0: any number */
	struct network_list allow, deny;
	unsigned accept_rate; /* clients a second; 0: any number */
	unsigned accept_burst;
	unsigned accept_rate_per_ip; /* the same from one address */
	unsigned proxy_protocol;     /* enum proxy_protocol */
	struct network_list proxy_trusted;
	unsigned proxy_protocol_timeout; /* s from accept to header */
	/* The name of a built-in handler or of a module, or the absolute path
	 * of a module. */
	char handler[PATH_MAX];
	struct handler_option option[CONFIG_OPTIONS_MAX];
	unsigned options;

	/* The line of its section; `origin` is unused at the top. */
	struct setting section;
	struct setting origin[CONFIG_SERVICE_DIRECTIVES_MAX];
};

struct config {
	/* What services inherit. */
	struct service_config defaults;

	struct memory_size maxmemory_clients; /* 0: no limit */
	unsigned workers;	   /* 0: auto, until config_validate() */
	unsigned shutdown_timeout; /* s */
	unsigned shutdown_delay;   /* s */
	unsigned watchdog_timeout; /* s; 0 off */
	unsigned standby;	   /* bool */
	unsigned daemonize;	   /* bool */
	unsigned supervised;	   /* enum supervised */
	unsigned sandbox;	   /* enum sandbox */
	unsigned loglevel;	   /* enum log_level */
	unsigned syslog_enabled;   /* bool */
	unsigned syslog_facility;  /* LOG_LOCAL0 ... */
	char pidfile[PATH_MAX];	   /* absolute, or "" */
	char logfile[PATH_MAX];	   /* absolute strftime pattern, or "" */
	char syslog_ident[64];
	char user[64];
	char group[64];
	char control_socket[PATH_MAX]; /* absolute, or "" */
	unsigned control_socket_mode;  /* 0600 or 0660 */
	unsigned metrics_port;	       /* 0: none */
	char metrics_bind[64];	       /* a numeric address */

	char file[PATH_MAX]; /* as given; "" if no file was read */
	/* The names of included files, each with its NUL. */
	char included[CONFIG_INCLUDED_BYTES];
	unsigned included_used;
	struct setting origin[CONFIG_DIRECTIVES_MAX]; /* common directives */
	struct ignored ignored;

	/*
	 * For commands that only ask the service: if set after
	 * config_defaults(), mistakes in the file are counted and skipped, and
	 * what would fail on this machine or for this user is noted.
	 * config_need() tells whether a value can be relied on.
	 */
	bool forgiving;
	unsigned mistakes;
	char mistake[PATH_MAX + 512]; /* the first one */

	/* Complete after config_validate(), which makes one of `defaults` if
	 * there is no section.  Only the first `services` are set: the memory
	 * of the others is never touched. */
	unsigned services;
	struct service_config service[CONFIG_SERVICES_MAX];
};

/* An error's text: "redis.conf:12: port: ..." */
struct config_error {
	char text[PATH_MAX + 512];
};

#endif
