/* SPDX-License-Identifier: ISC */
/*
 * The status page for people, and its parts.
 */
#ifndef ECHOD_ADMIN_PAGE_H
#define ECHOD_ADMIN_PAGE_H

#include <stdio.h>

#include "admin/view.h"

/* Write the page, its numbers filled in: page.html.  It needs no script. */
void page_write(const struct view *v, FILE *out);

/* Write page.css and page.js, by which it looks good and stays current. */
void page_write_style(const struct view *v, FILE *out);
void page_write_script(const struct view *v, FILE *out);

/* Write all that the page shows, in JSON: {"status": as the control socket has
 * it, "workers": the same, "samples": lists of values, the oldest first}. */
void page_write_json(const struct view *v, FILE *out);

#endif
