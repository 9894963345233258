/* SPDX-License-Identifier: ISC */
/*
 * Which control socket there is to ask: what the configuration says.
 */
#include "ctl/find_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/origin.h"
#include "config/reader.h"
#include "config/value.h"
#include "ctl/arguments.h"
#include "ctl/message.h"

/* Read `file` for the path of the socket; NULL if it names none. */
static const char *
find_socket_in(const char *file)
{
	static struct config c;
	struct config_error e;

	config_defaults(&c);
	/* A mistake elsewhere must not keep anybody from asking. */
	c.forgiving = true;
	(void)config_read_file(&c, file, &e);
	if (config_need(&c, "control-socket", DOUBT_MAYBE, &e) == -1 ||
	    (c.control_socket[0] == '\0' && c.mistakes > 0)) {
		message_warnx("%s", c.mistake);
		exit(CTL_FAILED);
	}
	return c.control_socket[0] != '\0' ? c.control_socket : NULL;
}

/* No file names a socket: say what was found. */
static void __attribute__((noreturn))
find_socket_fail(const char *const *files, size_t count)
{
	const char *read = NULL;

	for (size_t i = 0; i < count; i++)
		if (access(files[i], R_OK) == 0)
			read = files[i];
		else if (errno != ENOENT) {
			message_warnx("%s: %s; name the control socket with -s",
			    files[i], strerror(errno));
			exit(CTL_FAILED);
		}
	if (read != NULL)
		message_warnx(
		    "%s names no control-socket; set it there and reload "
		    "echod, or name it with -s",
		    read);
	else
		message_warnx("no control socket is known: there is neither %s "
			      "here nor %s; name the socket with -s, or the "
			      "configuration of echod with -c",
		    files[0], files[1]);
	exit(CTL_FAILED);
}

const char *
find_socket(const char *file)
{
	/* Where echod itself looks, and then where a package puts it. */
	static const char *const files[] = { CONFIG_DEFAULT_FILE,
		SYSCONFDIR "/echod/" CONFIG_DEFAULT_FILE };
	const char *path = NULL;

	if (file != NULL)
		path = find_socket_in(file);
	for (size_t i = 0; file == NULL && path == NULL && i < 2; i++)
		if (access(files[i], R_OK) == 0)
			path = find_socket_in(files[i]);
	if (path == NULL)
		find_socket_fail(file != NULL ? &file : files,
		    file != NULL ? 1 : 2);
	return path;
}
