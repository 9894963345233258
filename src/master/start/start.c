/* SPDX-License-Identifier: ISC */
/*
 * Starting the service from nothing.
 */
#include "master/start/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/services.h"
#include "lib/clock.h"
#include "lib/exit_status.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "master/admin_child.h"
#include "master/handlers.h"
#include "master/listeners/inherit.h"
#include "master/listeners/listen.h"
#include "master/loop.h"
#include "master/notify.h"
#include "master/start/advice.h"
#include "master/start/daemonize.h"
#include "master/start/descriptors.h"
#include "master/start/logging.h"
#include "master/upgrade/executable.h"
#include "master/workers.h"

/* A listener must never get the number of a standard stream.  Descriptors that
 * the program inherited are closed, except for sockets that were passed to it.
 */
static void
start_tidy_descriptors(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1)
		if (fd > STDERR_FILENO) {
			close(fd);
			break;
		}
	inherit_begin();
}

static void
start_report_program(const struct config *c)
{
	char served[64];

	if (services_have_sections(c))
		snprintf(served, sizeof(served), "%u services", c->services);
	else
		snprintf(served, sizeof(served), "handler %.50s",
		    c->service[0].handler);
	log_notice("echod " PACKAGE_VERSION ", %u workers, %s, "
		   "maxclients %u, configuration %s",
	    c->workers, served, c->defaults.maxclients,
	    c->file[0] != '\0' ? c->file : "built in");
	if (geteuid() == 0)
		log_warnx("running as root; set `user` to give that up");
	advice_log(c);
}

static int
start_open_listeners(struct master *m, const struct config *c,
    const struct identity *id)
{
	struct listen_numbers n;
	int r;

	listen_number(&m->handlers, c, &n);
	r = listen_open(&m->arena, m->service, c, &n, NULL, &m->wanted);
	inherit_end();
	if (r == -1)
		inherit_report(); /* it may give the reason */
	else if (id->uid != (uid_t)-1)
		listen_give(m->service, id->uid, id->gid);
	return r;
}

/* Returns the memfd of their image, or -1 with the reason logged. */
static int
start_check_handlers(const struct config *c)
{
	int memfd = image_memfd();
	char why[IMAGE_WHY];

	if (memfd == -1)
		log_warn("memory for handlers");
	else if (handlers_check(memfd, c, NULL, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		close(memfd);
		memfd = -1;
	}
	return memfd;
}

/*
 * Do everything that can fail or needs root, in this order: the pid file (is
 * another echod running?), the arena, the listeners, the log, the sockets for
 * control and metrics.  Then give up root and start the workers.  Returns 0, or
 * -1 with the reason logged.
 */
static int
start_bring_up(struct master *m, const struct config *c, struct pidfile *p,
    int image)
{
	unsigned descriptors = descriptors_needed(c);
	struct identity id = privileges_identity(c);
	unsigned long most;
	char why[IMAGE_WHY];

	if (pidfile_claim(p, c, true) == -1 ||
	    descriptors_limit(descriptors, &most) == -1)
		return -1;
	if (arena_create(&m->arena, CONFIG_WORKERS_MAX, descriptors, most) ==
	    -1) {
		log_warnx("arena for %u descriptors: %s%s", descriptors,
		    strerror(errno),
		    limits_why_no_room(errno,
			arena_size(CONFIG_WORKERS_MAX, descriptors)));
		return -1;
	}
	m->service = service_make(&m->arena, &m->service_fd, -1, why,
	    sizeof(why));
	if (m->service == NULL) {
		log_warnx("%s", why);
		return -1;
	}
	/* Listeners have the numbers of their services. */
	if (handlers_open(m, image, why, sizeof(why)) == -1) {
		log_warnx("%s", why);
		return -1;
	}
	close(image);
	handlers_commit(m);
	if (start_open_listeners(m, c, &id) == -1 ||
	    logging_open(c, &id, -1) == -1)
		return -1;
	if (c->supervised != SUPERVISED_NO)
		notify_enable(&m->notify, true);
	atomic_store(&m->service->loglevel, c->loglevel);
	log_follow(&m->service->loglevel);
	if (admin_child_open(m, false) == -1 ||
	    admin_sockets_open(&m->admin_sockets, c, &id, NULL, NULL) == -1)
		return -1;
	if (privileges_drop(c, &id) == -1) {
		log_warn("user %s", c->user);
		return -1;
	}
	start_report_program(c);
	listen_report(m->service, c, &m->wanted);
	master_let_inherit(m, false);
	return workers_start(m, false);
}

static void
start_announce(struct master *m)
{
	admin_child_begin(m);
	log_notice("ready on %s after %llu ms", listen_names(m->service),
	    (unsigned long long)(clock_ms() - m->service->started));
	listen_announce(m->service);
	notify_ready(&m->notify, m->config, listen_names(m->service), "");
	daemonize_ready();
}

int
start_service(const struct config *c, worker_entry *entry)
{
	static struct pidfile pidfile = PIDFILE_NONE;
	struct master *m = master_make(c, entry);
	int status, image;

	if (m == NULL) {
		log_warn("memory");
		return EXIT_NOT_STARTED;
	}
	m->pidfile = &pidfile;
	admin_child_init(m);
	signals_block();
	start_tidy_descriptors();
	image = start_check_handlers(c);
	if (image == -1)
		return EXIT_CONFIG;
	if (c->daemonize && daemonize() == -1) {
		log_warnx("daemonize: %s%s", strerror(errno),
		    limits_why_no_process(errno));
		return EXIT_NOT_STARTED;
	}
	m->executable = executable_hold();
	if (m->executable == -1 ||
	    start_bring_up(m, c, &pidfile, image) == -1) {
		if (m->executable == -1)
			log_warn("the program's own file: open %s",
			    executable_path()[0] != '\0' ? executable_path()
							 : "/proc/self/exe");
		admin_sockets_close(&m->admin_sockets, NULL);
		pidfile_release(&pidfile);
		return EXIT_NOT_STARTED;
	}
	/* A standby comes here, too: before that, or later. */
	if (!m->started)
		start_announce(m);
	status = loop_run(m);
	admin_sockets_close(&m->admin_sockets, NULL);
	pidfile_release(&pidfile);
	return status;
}
