/* SPDX-License-Identifier: ISC */
/*
 * Metrics, health and a status page over HTTP, by libmicrohttpd inside the
 * master's loop.
 *
 * The library is loaded once the service is up, not linked: with the TLS
 * library that comes with it, it takes milliseconds to start, which at a
 * reload clients would wait for.  It has no listener: http_door.c gives it
 * clients that have asked.
 */
#include "admin/http.h"

#include "lib/clock.h"

#ifndef HAVE_MICROHTTPD

void
http_begin(struct master *m)
{
	(void)m;
}

int
http_watch(void)
{
	return -1;
}

bool
http_has(int fd)
{
	(void)fd;
	return false;
}

void
http_step(void)
{
}

uint64_t
http_next(void)
{
	return CLOCK_NEVER;
}

#else

#include <dlfcn.h>
#include <microhttpd.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "admin/http_clients.h"
#include "admin/metrics.h"
#include "admin/page.h"
#include "admin/status.h"
#include "lib/log.h"
#include "master/instances.h"

/* Seconds after which the library drops a client by itself; http_door.c has
 * done so before. */
#define PATIENCE_S 12
/* For one client's request and headers, bytes. */
#define CLIENT_MEMORY 16384

static struct {
	struct MHD_Daemon *daemon;
	int epoll;    /* the library's */
	bool running; /* the library is; its way out */
	jmp_buf out;
} state = { .epoll = -1 };

/* What we use of the library. */
#define FUNCTIONS(F) \
	F(start_daemon) \
	F(get_daemon_info) \
	F(run) \
	F(add_connection) \
	F(get_connection_info) \
	F(get_timeout) \
	F(create_response_from_buffer) \
	F(add_response_header) \
	F(queue_response) F(destroy_response) F(set_panic_func)

/* NOLINTNEXTLINE(bugprone-macro-parentheses): no declarator with them */
#define MEMBER(name) __typeof__(MHD_##name) *name;
static struct {
	FUNCTIONS(MEMBER)
} mhd;

/* Returns 0, or -1 with the reason logged. */
static int
http_load_library(void)
{
	void *library = dlopen(MICROHTTPD_SONAME, RTLD_NOW | RTLD_LOCAL);
	bool all = library != NULL;

	/* POSIX's way to make a function of what dlsym(3) returns. */
#define LOAD(name) \
	if (all) \
		all = (*(void **)&mhd.name = dlsym(library, "MHD_" #name)) != \
		    NULL;
	FUNCTIONS(LOAD)
	if (all)
		return 0;
	log_warnx("no metrics: %s", dlerror());
	return -1;
}

static void
http_write_metrics(const struct view *v, FILE *out)
{
	metrics_write(v, out);
}

static void
http_write_health(const struct view *v, FILE *out)
{
	fprintf(out, "%s\n", status_mode(v));
}

static const struct resource {
	const char *path, *type;
	void (*write)(const struct view *v, FILE *out);
} resources[] = {
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8",
	    http_write_metrics },
	{ "/healthz", "text/plain; charset=utf-8", http_write_health },
	{ "/", "text/html; charset=utf-8", page_write },
	{ "/page.css", "text/css; charset=utf-8", page_write_style },
	{ "/page.js", "text/javascript; charset=utf-8", page_write_script },
	{ "/status.json", "application/json", page_write_json },
};

static const struct resource *
http_find(const char *url)
{
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (strcmp(url, resources[i].path) == 0)
			return &resources[i];
	return NULL;
}

/* Queue `text`, which is from malloc(3) and becomes the library's. */
static enum MHD_Result
http_reply(struct MHD_Connection *connection, unsigned status, char *text,
    size_t length, const char *type)
{
	struct MHD_Response *r = mhd.create_response_from_buffer(length, text,
	    MHD_RESPMEM_MUST_FREE);
	enum MHD_Result queued;

	if (r == NULL) {
		free(text);
		return MHD_NO;
	}
	mhd.add_response_header(r, "Content-Type", type);
	mhd.add_response_header(r, "Cache-Control", "no-store");
	/* A place is for one request. */
	mhd.add_response_header(r, "Connection", "close");
	mhd.add_response_header(r, "X-Content-Type-Options", "nosniff");
	mhd.add_response_header(r, "Content-Security-Policy",
	    "default-src 'none'; style-src 'self'; script-src 'self'; "
	    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'");
	/* Nothing is what OPTIONS is answered with. */
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED || length == 0)
		mhd.add_response_header(r, "Allow", "GET, HEAD, OPTIONS");
	queued = mhd.queue_response(connection, status, r);
	mhd.destroy_response(r);
	return queued;
}

static enum MHD_Result
http_reply_text(struct MHD_Connection *connection, unsigned status,
    const char *text)
{
	char *copy = strdup(text);

	return copy == NULL ? MHD_NO
			    : http_reply(connection, status, copy, strlen(copy),
				  "text/plain; charset=utf-8");
}

/* The status that a balancer goes by. */
static unsigned
http_health(const struct master *m)
{
	return m->stop.phase != STOP_NONE || m->arena.service->draining
	    ? MHD_HTTP_SERVICE_UNAVAILABLE
	    : MHD_HTTP_OK;
}

static enum MHD_Result
http_serve(struct MHD_Connection *connection, const struct master *m,
    const struct resource *what)
{
	unsigned status = MHD_HTTP_OK;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return MHD_NO;
	what->write(&(struct view){ &m->arena, m->arena.service, m->config },
	    out);
	if (fclose(out) != 0) {
		free(text);
		return MHD_NO;
	}
	if (what->write == http_write_health)
		status = http_health(m);
	return http_reply(connection, status, text, length, what->type);
}

static enum MHD_Result
http_asked(void *master, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **seen)
{
	static int marker;

	(void)version;
	(void)upload;
	/* The first call comes with the headers, to be answered by the next. */
	if (*seen == NULL) {
		*seen = &marker;
		return MHD_YES;
	}
	if (*upload_size != 0) {
		*upload_size = 0; /* read and forgotten */
		return MHD_YES;
	}
	/* What HAProxy asks for, unless it is told otherwise: it wants to know
	 * whether to send clients. */
	if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0 &&
	    (strcmp(url, "*") == 0 || http_find(url) != NULL))
		return http_reply_text(connection, http_health(master), "");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_OPTIONS) != 0)
		return http_reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "GET, HEAD and OPTIONS only\n");
	if (http_find(url) != NULL)
		return http_serve(connection, master, http_find(url));
	return http_reply_text(connection, MHD_HTTP_NOT_FOUND,
	    "there are /, /status.json, /metrics and /healthz\n");
}

/* A descriptor of the library's has been closed by somebody else, or the like:
 * it would end the program now.  Whoever controls a worker can do that. */
static void
http_panic(void *nothing, const char *file, unsigned line, const char *reason)
{
	(void)nothing;
	(void)file;
	(void)line;
	(void)reason;
	if (state.running)
		longjmp(state.out, 1);
	abort();
}

/* The library tells of descriptors that it has and has closed. */
static void
http_noticed(void *nothing, struct MHD_Connection *connection, void **client,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;

	(void)nothing;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = mhd.get_connection_info(connection,
		    MHD_CONNECTION_INFO_CONNECTION_FD);
		*client = info == NULL ? NULL
				       : http_clients_find(info->connect_fd);
	} else if (*client != NULL)
		http_clients_left(*client);
}

/* What it has left is in no state to be touched. */
static void
http_give_up(void)
{
	state.epoll = -1;
	http_clients_shut();
	log_warnx("metrics: the HTTP library has given up; there are none "
		  "until a reload");
}

static void
http_run(void)
{
	if (state.epoll == -1)
		return;
	state.running = true;
	if (setjmp(state.out) == 0)
		(void)mhd.run(state.daemon);
	else
		http_give_up();
	state.running = false;
}

static void
http_answer(struct http_client *c, int fd, const struct sockaddr *peer,
    socklen_t len)
{
	state.running = true;
	if (setjmp(state.out) == 0)
		(void)mhd.add_connection(state.daemon, fd, peer, len);
	else
		http_give_up();
	state.running = false;
	/* Some versions begin with it here, some there; and if they cannot,
	 * they say nothing and have closed it. */
	http_run();
	if (http_clients_find(fd) == c)
		http_clients_left(c);
}

static struct MHD_Daemon *
http_start(struct master *m)
{
	struct MHD_Daemon *volatile daemon = NULL;

	mhd.set_panic_func(http_panic, NULL);
	state.running = true;
	if (setjmp(state.out) == 0)
		daemon = mhd.start_daemon(MHD_USE_EPOLL |
			MHD_USE_NO_LISTEN_SOCKET,
		    0, NULL, NULL, http_asked, m, MHD_OPTION_CONNECTION_LIMIT,
		    (unsigned)CONFIG_METRICS_CLIENTS,
		    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S,
		    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_MEMORY,
		    MHD_OPTION_NOTIFY_CONNECTION, http_noticed, NULL,
		    MHD_OPTION_END);
	state.running = false;
	return daemon;
}

void
http_begin(struct master *m)
{
	static const struct http_library library = { http_answer, http_run };
	const union MHD_DaemonInfo *info;

	if (m->admin_sockets.metrics == -1 || http_load_library() == -1)
		return;
	state.daemon = http_start(m);
	info = state.daemon == NULL
	    ? NULL
	    : mhd.get_daemon_info(state.daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || instances_have(m, info->epoll_fd)) {
		log_warnx("metrics on port %u: the HTTP library does not "
			  "start",
		    m->config->metrics_port);
		return;
	}
	state.epoll = info->epoll_fd;
	if (http_clients_open(m, &library) == 0 &&
	    http_clients_also(state.epoll) == 0)
		return;
	log_warn("metrics on port %u", m->config->metrics_port);
	state.epoll = -1;
	http_clients_shut();
}

int
http_watch(void)
{
	return http_clients_watch();
}

bool
http_has(int fd)
{
	return fd == state.epoll || fd == http_clients_watch();
}

void
http_step(void)
{
	http_clients_step();
	if (http_clients_answering() > 0)
		http_run();
}

uint64_t
http_next(void)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (state.epoll == -1)
		return CLOCK_NEVER;
	if (http_clients_answering() == 0 ||
	    mhd.get_timeout(state.daemon, &ms) != MHD_YES)
		return http_clients_next();
	return clock_earlier(http_clients_next(), clock_ms() + ms);
}

#endif
