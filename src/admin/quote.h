/* SPDX-License-Identifier: ISC */
/*
 * Text inside JSON, metrics and HTML.
 *
 * In all three UTF-8 stays as it is, and a byte that is none is shown as \xNN,
 * four characters of text, so that the whole is valid.
 */
#ifndef ECHOD_ADMIN_QUOTE_H
#define ECHOD_ADMIN_QUOTE_H

#include <stdio.h>

/* Write `text` as a JSON string, quotes included (RFC 8259).  Control
 * characters are written as \uNNNN. */
void quote_json(FILE *out, const char *text);

/* Write `text` as the value of a label, quotes included (Prometheus's text
 * format 0.0.4).  Control characters other than \n are shown as \xNN. */
void quote_label(FILE *out, const char *text);

/* Write `text` as HTML, in an element or a quoted attribute.  Control
 * characters are shown as \xNN. */
void quote_html(FILE *out, const char *text);

#endif
