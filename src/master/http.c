/*
 * Metrics, health and a status page over HTTP, by libmicrohttpd inside the
 * master's loop.
 *
 * The library is loaded once the service is up, not linked: with the TLS
 * library that comes with it, it takes milliseconds to start, which at a
 * reload clients would wait for.
 */
#include "master/http.h"

#include "base/clock.h"

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

#include "base/log.h"
#include "master/answer.h"
#include "master/instances.h"
#include "master/metrics.h"
#include "master/page.h"

/* Seconds after which a client that does not ask or read is dropped. */
#define PATIENCE_S 10
/* For one client's request and headers, bytes. */
#define CLIENT_MEMORY 16384

static struct {
	struct MHD_Daemon *daemon;
	int epoll;
	bool running;			/* the library is; its way out */
	jmp_buf out;
} state = { .epoll = -1 };

/* What we use of the library. */
#define FUNCTIONS(F) F(start_daemon) F(get_daemon_info) F(run) \
	F(get_timeout) F(create_response_from_buffer) \
	F(add_response_header) F(queue_response) F(destroy_response) \
	F(set_panic_func)

/* NOLINTNEXTLINE(bugprone-macro-parentheses): no declarator with them */
#define MEMBER(name) __typeof__(MHD_##name) *name;
static struct {
	FUNCTIONS(MEMBER)
} mhd;

/* Returns 0, or -1 with the reason logged. */
static int
load_library(void)
{
	void *library = dlopen(MICROHTTPD_SONAME, RTLD_NOW | RTLD_LOCAL);
	bool all = library != NULL;

	/* POSIX's way to make a function of what dlsym(3) returns. */
#define LOAD(name) \
	if (all) \
		all = (*(void **)&mhd.name = dlsym(library, "MHD_" #name)) \
		    != NULL;
	FUNCTIONS(LOAD)
	if (all)
		return 0;
	log_warnx("no metrics: %s", dlerror());
	return -1;
}

static void
write_metrics(const struct master *m, FILE *out)
{
	metrics_write(m, out);
}

static void
write_health(const struct master *m, FILE *out)
{
	fprintf(out, "%s\n", answer_mode(m));
}

static const struct resource {
	const char *path, *type;
	void (*write)(const struct master *m, FILE *out);
} resources[] = {
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8",
	    write_metrics },
	{ "/healthz", "text/plain; charset=utf-8", write_health },
	{ "/", "text/html; charset=utf-8", page_write },
};

/* Queue `text`, which is from malloc(3) and becomes the library's. */
static enum MHD_Result
reply(struct MHD_Connection *connection, unsigned status, char *text,
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
	mhd.add_response_header(r, "X-Content-Type-Options", "nosniff");
	mhd.add_response_header(r, "Content-Security-Policy",
	    "default-src 'none'; style-src 'unsafe-inline'; "
	    "script-src 'unsafe-inline'; connect-src 'self'; "
	    "frame-ancestors 'none'");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		mhd.add_response_header(r, "Allow", "GET, HEAD");
	queued = mhd.queue_response(connection, status, r);
	mhd.destroy_response(r);
	return queued;
}

static enum MHD_Result
reply_text(struct MHD_Connection *connection, unsigned status,
    const char *text)
{
	char *copy = strdup(text);

	return copy == NULL ? MHD_NO : reply(connection, status, copy,
	    strlen(copy), "text/plain; charset=utf-8");
}

static enum MHD_Result
serve(struct MHD_Connection *connection, const struct master *m,
    const struct resource *what)
{
	unsigned status = MHD_HTTP_OK;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return MHD_NO;
	what->write(m, out);
	if (fclose(out) != 0) {
		free(text);
		return MHD_NO;
	}
	if (what->write == write_health && (m->stop.phase != STOP_NONE ||
	    m->arena.own->draining))
		status = MHD_HTTP_SERVICE_UNAVAILABLE;
	return reply(connection, status, text, length, what->type);
}

static enum MHD_Result
asked(void *master, struct MHD_Connection *connection, const char *url,
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
		*upload_size = 0;	/* read and forgotten */
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "GET and HEAD only\n");
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (strcmp(url, resources[i].path) == 0)
			return serve(connection, master, &resources[i]);
	return reply_text(connection, MHD_HTTP_NOT_FOUND,
	    "there are /, /metrics and /healthz\n");
}

/* A descriptor of the library's has been closed by somebody else, or the like:
 * it would end the program now.  Whoever controls a worker can do that. */
static void
panic(void *nothing, const char *file, unsigned line, const char *reason)
{
	(void)nothing;
	(void)file;
	(void)line;
	(void)reason;
	if (state.running)
		longjmp(state.out, 1);
	abort();
}

void
http_begin(struct master *m)
{
	const union MHD_DaemonInfo *info;

	if (m->admin.metrics == -1 || load_library() == -1)
		return;
	mhd.set_panic_func(panic, NULL);
	state.running = true;
	if (setjmp(state.out) == 0)
		state.daemon = mhd.start_daemon(MHD_USE_EPOLL, 0, NULL, NULL,
		    asked, m, MHD_OPTION_LISTEN_SOCKET, m->admin.metrics,
		    MHD_OPTION_CONNECTION_LIMIT,
		    (unsigned)CONFIG_METRICS_CLIENTS,
		    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S,
		    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CLIENT_MEMORY,
		    MHD_OPTION_END);
	state.running = false;
	info = state.daemon == NULL ? NULL : mhd.get_daemon_info(state.daemon,
	    MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || instances_have(m, info->epoll_fd)) {
		log_warnx("metrics on port %u: the HTTP library does not "
		    "start", m->config->metrics_port);
		return;
	}
	state.epoll = info->epoll_fd;
}

int
http_watch(void)
{
	return state.epoll;
}

void
http_step(void)
{
	if (state.epoll == -1)
		return;
	state.running = true;
	if (setjmp(state.out) == 0)
		(void)mhd.run(state.daemon);
	else {
		/* What it left is in no state to be touched. */
		state.epoll = -1;
		log_warnx("metrics: the HTTP library has given up; there are "
		    "none until a reload");
	}
	state.running = false;
}

uint64_t
http_next(void)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (state.epoll == -1 || mhd.get_timeout(state.daemon, &ms) != MHD_YES)
		return CLOCK_NEVER;
	return clock_ms() + ms;
}

#endif
