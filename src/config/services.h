/* SPDX-License-Identifier: ISC */
/*
 * The services of a configuration: their names, their handlers' options, and
 * what they inherit from the top of the file.
 */
#ifndef ECHOD_CONFIG_SERVICES_H
#define ECHOD_CONFIG_SERVICES_H

#include "config/directive.h"

/* A directive that begins so is an option of the handler. */
#define SERVICES_OPTION "handler."

/* Check that `name` can be that of a service.  Returns 0, or -1 with a reason
 * in `why`. */
int services_check_name(const char *name, char *why, size_t size);

/* The service called `name`, in any letter case, or NULL. */
const struct service_config *services_find(const struct config *c,
    const char *name);

/* Add a service that has set nothing yet.  Returns NULL with a reason in `why`
 * if its name is taken or there is no room. */
struct service_config *services_add(struct config *c, const char *name,
    char *why, size_t size);

/* Check that `name` can be that of an option.  Returns 0, or -1 with a reason
 * in `why`. */
int services_check_option(const char *name, char *why, size_t size);

/* The option of `s` called `name`, or NULL. */
const struct handler_option *services_option(const struct service_config *s,
    const char *name);

/* Set an option of the handler.  `setting` becomes its place.  Returns 0, or -1
 * with a reason in `why`. */
int services_set_option(struct service_config *s, const char *name,
    const char *value, struct setting **setting, char *why, size_t size);

/* True if the services are those of sections; false if there is one, made of
 * the values at the top of the file, or none yet. */
bool services_have_sections(const struct config *c);

/*
 * Give each service the values that it does not set itself; without sections,
 * make one service, CONFIG_SERVICE_DEFAULT.  A service that inherits `handler`
 * inherits the options at the top of the file, too.  To be done once the file
 * and the command line are read.  Returns 0, or -1 with a reason in `e`.
 */
int services_settle(struct config *c, struct config_error *e);

/* Make that one service; it cannot fail. */
void config_make_service(struct config *c);

/*
 * Write what a message calls the directive `name` of `s`: "port", or
 * "service web: port" if there are sections and `s` is one.
 */
const char *services_label(char *text, size_t size,
    const struct service_config *s, const char *name);
#define SERVICES_LABEL (CONFIG_SERVICE_NAME + CONFIG_OPTION_NAME + 32)

#endif
