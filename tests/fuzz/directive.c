/* SPDX-License-Identifier: ISC */
/*
 * Fuzzing the conversion of one directive: the first byte chooses it, the rest
 * is its text.  What is taken is written as a text that is taken for the same.
 */
#include <string.h>

#include <bsd/string.h>

#include "config/directive.h"
#include "config/reader.h"
#include "config/value.h"
#include "fuzz.h"

static void
check_networks(struct config *c, const struct directive *d)
{
	const struct network_list *list = directive_place(c, &c->defaults, d);

	must(list->count <= NETWORKS_MAX);
	for (unsigned i = 0; i < list->count; i++)
		must(networks_contain(list, list->network[i].family,
		    list->network[i].address));
}

int
fuzz_directive(const uint8_t *data, size_t size)
{
	static char before[PATH_MAX + 1024], after[PATH_MAX + 1024];
	static char assignment[PATH_MAX + 1024];
	const struct directive *d;
	struct config *c;
	struct config_error e;
	char why[256] = "", *text;
	int taken;

	if (size == 0)
		return 0;
	d = &directives[data[0] % directive_count];
	text = strndup((const char *)data + 1, size - 1);
	c = malloc(sizeof(*c)); /* a bound of its own */
	must(text != NULL && c != NULL);
	config_defaults(c);
	taken = value_set(c, &c->defaults, d, text, why, sizeof(why));
	if (taken == -1)
		must(why[0] != '\0' && strlen(why) < sizeof(why));
	else {
		value_format(c, &c->defaults, d, before, sizeof(before));
		must(value_set(c, &c->defaults, d, before, why, sizeof(why)) ==
		    0);
		value_format(c, &c->defaults, d, after, sizeof(after));
		must(strcmp(before, after) == 0);
		if (d->type == TYPE_NETWORKS)
			check_networks(c, d);
	}
	snprintf(assignment, sizeof(assignment), "%s=%s", d->name, text);
	config_defaults(c);
	if (config_override(c, assignment, &e) == -1)
		must(e.text[0] != '\0');
	else
		must(directive_setting(c, &c->defaults, d)->origin ==
		    ORIGIN_COMMAND_LINE);
	free(c);
	free(text);
	return 0;
}
