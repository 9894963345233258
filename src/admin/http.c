/* SPDX-License-Identifier: ISC */
/*
 * Metrics, health and a status page over HTTP, by libmicrohttpd.
 *
 * The library has no listener: http_clients.c gives it clients that have asked.
 * If it aborts, this process ends, and the master starts another.
 */
#include "admin/http.h"

#include "lib/clock.h"
#include "lib/log.h"

#ifndef HAVE_MICROHTTPD

int
http_begin(const struct view *v, int listener)
{
	(void)v;
	(void)listener;
	log_warnx("metrics: built without libmicrohttpd");
	return -1;
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

void
http_finish(void)
{
}

bool
http_is_idle(void)
{
	return true;
}

#else

#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "admin/http_clients.h"
#include "admin/metrics.h"
#include "admin/page.h"
#include "admin/status.h"

/* Seconds after which the library drops a client by itself; http_clients.c has
 * done so before. */
#define PATIENCE_S 12
/* For one client's request and headers, bytes. */
#define CLIENT_MEMORY 16384

static struct {
	struct MHD_Daemon *daemon;
	const struct view *view;
} state;

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
	struct MHD_Response *r = MHD_create_response_from_buffer(length, text,
	    MHD_RESPMEM_MUST_FREE);
	enum MHD_Result queued;

	if (r == NULL) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	/* A place is for one request. */
	MHD_add_response_header(r, "Connection", "close");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Content-Security-Policy",
	    "default-src 'none'; style-src 'self'; script-src 'self'; "
	    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'");
	/* Nothing is what OPTIONS is answered with. */
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED || length == 0)
		MHD_add_response_header(r, "Allow", "GET, HEAD, OPTIONS");
	queued = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
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
http_health(void)
{
	const struct service_state *s = state.view->service;

	return s->mode == SERVICE_STOPPING || s->draining != 0
	    ? MHD_HTTP_SERVICE_UNAVAILABLE
	    : MHD_HTTP_OK;
}

static enum MHD_Result
http_serve(struct MHD_Connection *connection, const struct resource *what)
{
	unsigned status = MHD_HTTP_OK;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return MHD_NO;
	what->write(state.view, out);
	if (fclose(out) != 0) {
		free(text);
		return MHD_NO;
	}
	if (what->write == http_write_health)
		status = http_health();
	return http_reply(connection, status, text, length, what->type);
}

static enum MHD_Result
http_asked(void *nothing, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **seen)
{
	static int marker;

	(void)nothing;
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
		return http_reply_text(connection, http_health(), "");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_OPTIONS) != 0)
		return http_reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "GET, HEAD and OPTIONS only\n");
	if (http_find(url) != NULL)
		return http_serve(connection, http_find(url));
	return http_reply_text(connection, MHD_HTTP_NOT_FOUND,
	    "there are /, /status.json, /metrics and /healthz\n");
}

/* The library tells of descriptors that it has and has closed. */
static void
http_noticed(void *nothing, struct MHD_Connection *connection, void **client,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;

	(void)nothing;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection,
		    MHD_CONNECTION_INFO_CONNECTION_FD);
		*client = info == NULL ? NULL
				       : http_clients_find(info->connect_fd);
	} else if (*client != NULL)
		http_clients_left(*client);
}

static void
http_run(void)
{
	(void)MHD_run(state.daemon);
}

static void
http_answer(struct http_client *c, int fd, const struct sockaddr *peer,
    socklen_t len)
{
	(void)MHD_add_connection(state.daemon, fd, peer, len);
	/* Some versions begin with it here, some there; and if they cannot,
	 * they say nothing and have closed it. */
	http_run();
	if (http_clients_find(fd) == c)
		http_clients_left(c);
}

int
http_begin(const struct view *v, int listener)
{
	static const struct http_library library = { http_answer, http_run };
	const union MHD_DaemonInfo *info = NULL;

	state.view = v;
	state.daemon = MHD_start_daemon(MHD_USE_EPOLL |
		MHD_USE_NO_LISTEN_SOCKET,
	    0, NULL, NULL, http_asked, NULL, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)CONFIG_METRICS_CLIENTS, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)PATIENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CLIENT_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, http_noticed,
	    NULL, MHD_OPTION_END);
	if (state.daemon != NULL)
		info = MHD_get_daemon_info(state.daemon,
		    MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		log_warnx("metrics on port %u: the HTTP library does not start",
		    v->config->metrics_port);
		return -1;
	}
	if (http_clients_open(listener, &library) == 0 &&
	    http_clients_also(info->epoll_fd) == 0)
		return 0;
	log_warn("metrics on port %u", v->config->metrics_port);
	return -1;
}

int
http_watch(void)
{
	return http_clients_watch();
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

	if (state.daemon == NULL)
		return CLOCK_NEVER;
	if (http_clients_answering() == 0 ||
	    MHD_get_timeout(state.daemon, &ms) != MHD_YES)
		return http_clients_next();
	return clock_earlier(http_clients_next(), clock_ms() + ms);
}

void
http_finish(void)
{
	http_clients_finish();
}

bool
http_is_idle(void)
{
	return http_clients_are_gone();
}

#endif
