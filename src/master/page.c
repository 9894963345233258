/*
 * The status page for people: one HTML file, charts included.
 */
#include "master/page.h"

#include "master/answer.h"

void
page_write(const struct master *m, FILE *out)
{
	fputs("<!DOCTYPE html><title>echod</title><pre>", out);
	answer_status(m, out, false);
	fputs("</pre>\n", out);
}
