/* SPDX-License-Identifier: ISC */
/*
 * echod-admin: the administration process, which the master executes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "admin/accept.h"
#include "admin/begin.h"
#include "admin/control_socket.h"
#include "admin/http.h"
#include "admin/admin_loop.h"
#include "admin/admin_sandbox.h"
#include "admin/sock_diag.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "shared/request.h"
#include "shared/layout.h"

/* Take what is needed while files can be opened.  Returns 0 or -1. */
static int
main_listen(const struct view *v)
{
	if (accept_is_listener(ADMIN_CONTROL) &&
	    control_socket_begin(v, ADMIN_CONTROL) == -1) {
		log_warn("control-socket %s", v->config->control_socket);
		return -1;
	}
	/* Without metrics there is the control socket still. */
	if (accept_is_listener(ADMIN_METRICS) &&
	    http_begin(v, ADMIN_METRICS) == -1 &&
	    !accept_is_listener(ADMIN_CONTROL))
		return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	static struct view view = { .queue = sock_diag_queue };
	int status;

	/* The master compares it with its own before it starts us. */
	if (argc == 2 && strcmp(argv[1], "--layout") == 0) {
		puts(layout_words());
		return fflush(stdout) == 0 ? ADMIN_FINISHED : ADMIN_FAILED;
	}
	if (!request_is_pair(ADMIN_MASTER)) {
		fputs("echod-admin is executed by echod(8)\n", stderr);
		return ADMIN_FAILED;
	}
	signals_block();
	(void)prctl(PR_SET_NAME, "echod-admin");
	status = begin_admin(&view);
	if (status != 0)
		return status;
	admin_sandbox_bound();
	sock_diag_begin(&view);
	if (main_listen(&view) == -1)
		return ADMIN_FAILED;
	admin_sandbox_enter(view.config);
	admin_loop_run();
	return ADMIN_FINISHED;
}
