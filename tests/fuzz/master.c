/* SPDX-License-Identifier: ISC */
/*
 * A master without processes, for fuzzing what it reads in the arena.
 */
#include "master.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "ground.h"
#include "admin/commands.h"
#include "admin/master_link.h"
#include "admin/metrics.h"
#include "master/sample.h"
#include "admin/page.h"
#include "config/services.h"
#include "config/value.h"
#include "master/admin_requests.h"
#include "master/listeners/listen.h"
#include "master/master.h"
#include "master/scaling.h"
#include "master/spawn.h"
#include "master/stop.h"
#include "master/upgrade/hand_over.h"
#include "master/upgrade/reload.h"
#include "master/watchdog.h"

void
master_quiet(void)
{
	const struct log_settings quiet = { .level = LOG_LEVEL_DEBUG,
		.console = -1 };
	static bool done;

	if (!done)
		must(log_open(&quiet) == 0);
	done = true;
}

/* The master's end of a way to the administration process, which is us; the
 * other one is begun.  Both stand above the arena's descriptors. */
static int
link_end(void)
{
	static int end[2] = { -1, -1 };

	if (end[0] != -1)
		return end[0];
	must(request_pair(end) == 0);
	for (int i = 0; i < 2; i++) {
		int low = end[i];

		end[i] = fcntl(low, F_DUPFD_CLOEXEC, 2 * GROUND_DESCRIPTORS);
		must(end[i] != -1);
		close(low);
	}
	master_link_begin(end[1], getpid());
	return end[0];
}

struct master *
master_of(const struct arena *a)
{
	static struct config config;
	static struct pidfile pidfile = PIDFILE_NONE;
	static struct master m;

	memset(&m, 0, sizeof(m));
	config_defaults(&config);
	config_make_service(&config);
	config.workers = GROUND_WORKERS;
	config.metrics_port = 1;
	m.config = &config;
	m.pidfile = &pidfile;
	m.arena = *a;
	m.service = ground_service;
	m.service_fd = ground_service_fd;
	m.admin = (struct admin){ .program = -1,
		.pid = getpid(),
		.socket = link_end() };
	m.admin_sockets = (struct admin_sockets)ADMIN_SOCKETS_NONE;
	m.executable = -1;
	m.reload.executable = -1;
	m.reload.checker = (struct checker)CHECKER_NONE;
	for (unsigned k = 0; k < CONFIG_WORKERS_MAX; k++)
		m.child[k].respawn_at = CLOCK_NEVER;
	return &m;
}

void
master_close_opened(void)
{
	for (int fd = GROUND_FIRST; fd < GROUND_DESCRIPTORS; fd++)
		(void)close(fd);
}

char *
master_ask(struct master *m, const char *line, bool *json)
{
	struct connection_list list = { .active = false };
	const struct view view = { &m->arena, m->service, m->config, NULL };
	struct command_request r = { .view = &view, .list = &list };
	struct message message;
	char *answer = NULL, *copy = strdup(line);
	size_t length = 0;
	unsigned pieces = 0;

	r.out = open_memstream(&answer, &length);
	must(r.out != NULL && copy != NULL);
	commands_run(&r, copy);
	while (list.active) {
		must(pieces++ < 10 + ARENA_DESCRIPTORS_MAX / 4096);
		connections_more(&list, &view, r.out);
	}
	if (r.sequence != 0) {
		must(admin_requests_step(m));
		must(master_link_take(&message) &&
		    message.sequence == r.sequence);
		if (message.kind == MESSAGE_DONE)
			commands_succeed(&r, "%s", message.text);
		else
			commands_fail(&r, "%s", message.text);
	}
	must(fclose(r.out) == 0);
	must(length > 0);
	free(copy);
	*json = r.json;
	return answer;
}

static void
write_pages(struct master *m)
{
	const struct view view = { &m->arena, m->service, m->config, NULL };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	must(out != NULL);
	sample_step(m->config, &m->arena, m->service);
	metrics_write(&view, out);
	page_write(&view, out);
	page_write_json(&view, out);
	must(fclose(out) == 0);
	free(text);
}

void
master_exercise(const struct arena *a)
{
	static const char *const requests[] = { "status", "json status",
		"workers", "json workers", "connections", "json connections",
		"metrics", "close 127.0.0.1:80", "drain on", "workers 3",
		"workers 1" };
	struct master *m = master_of(a);
	struct listen_state listeners = listen_save(m->service);
	bool json;

	listen_restore(a, m->service, &listeners);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		free(master_ask(m, requests[i], &json));
	write_pages(m);
	(void)listen_names(m->service);
	(void)spawn_prepare(m);
	scaling_step(m);
	watchdog_step(&m->watchdog, m->config, &m->arena, m->service->workers,
	    m->child);
	(void)spawn_next(m);
	(void)reload_next(m);
	reload_request(m, "fuzz");
	stop_request(m, "fuzz");
	(void)stop_step(m);
	(void)stop_summary(m);
	hand_over_keep(a, m->service, false);
	master_close_opened();
}
