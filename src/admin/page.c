/* SPDX-License-Identifier: ISC */
/*
 * The status page for people: one HTML file, its charts included.
 *
 * It works without a script, by having the browser load it anew; with one it
 * replaces its own contents, which does not flicker or scroll.
 */
#include "admin/page.h"

#include <unistd.h>

#include "admin/page_chart.h"
#include "admin/quote.h"
#include "admin/status.h"
#include "lib/clock.h"
#include "lib/signals.h"

typedef unsigned long long ull;

static const char style[] =
    ":root{color-scheme:light dark;--bg:#f4f6f8;--card:#fff;--ink:#17212b;"
    "--dim:#5f6f7f;--line:#dfe5ea;--a:#0b7a75;--fill:#0b7a7522;--ok:#18794e;"
    "--warn:#b25000;--bar:#0b7a75}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0e1317;--card:#161d23;"
    "--ink:#e4eaef;--dim:#8fa0af;--line:#27323b;--a:#4fd1c5;--fill:#4fd1c522;"
    "--ok:#4ade80;--warn:#fbbf6b;--bar:#3aa89f}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.45 "
    "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-variant-numeric:tabular-nums}"
    "main{max-width:1120px;margin:0 auto;padding:20px 16px 32px}"
    "header{display:flex;flex-wrap:wrap;gap:4px 14px;align-items:center;"
    "margin-bottom:16px}"
    "h1{font-size:22px;margin:0}h2{font-size:13px;margin:0 0 10px;"
    "font-weight:600;color:var(--dim)}"
    ".mode{font-size:13px;font-weight:600;padding:2px 10px;border-radius:99px;"
    "border:1px solid}.serving{color:var(--ok)}.other{color:var(--warn)}"
    ".dim{color:var(--dim)}"
    ".grid{display:grid;gap:14px;margin-bottom:14px}"
    ".charts{grid-template-columns:repeat(auto-fit,minmax(230px,1fr))}"
    ".two{grid-template-columns:repeat(auto-fit,minmax(320px,1fr))}"
    ".card{background:var(--card);border:1px solid var(--line);"
    "border-radius:10px;padding:14px 16px;min-width:0}"
    ".big{font-size:26px;font-weight:650;line-height:1.15}"
    ".big small{font-size:14px;font-weight:400;color:var(--dim)}"
    "svg{display:block;width:100%;height:56px;margin:10px 0 4px}"
    "svg .l{fill:none;stroke:var(--a);stroke-width:1.8;"
    "vector-effect:non-scaling-stroke;stroke-linejoin:round}"
    "svg .f{fill:var(--fill)}svg .b{stroke:var(--line);"
    "vector-effect:non-scaling-stroke}"
    ".ends{display:flex;justify-content:space-between;font-size:12px;"
    "color:var(--dim)}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;width:100%}"
    "th{font-size:12px;font-weight:500;color:var(--dim);text-align:right;"
    "padding:0 0 6px 12px;white-space:nowrap}"
    "td{text-align:right;padding:6px 0 6px 12px;border-top:1px solid "
    "var(--line);white-space:nowrap}"
    ".plain tr:first-child td{border-top:0}"
    "th:first-child,td:first-child{text-align:left;padding-left:0}"
    ".bar{display:block;height:6px;border-radius:3px;background:var(--bar);"
    "min-width:2px}.track{width:34%;min-width:60px}"
    "dl{display:grid;grid-template-columns:1fr auto;margin:0;gap:0}"
    "dt,dd{margin:0;padding:6px 0;border-top:1px solid var(--line)}"
    "dl>:nth-child(-n+2){border-top:0}dd{text-align:right;font-weight:550}"
    "p{margin:10px 0 0}footer{font-size:13px;color:var(--dim)}"
    "a{color:inherit}"
    "@media(max-width:520px){.opt{display:none}main{padding:14px 12px 24px}"
    ".card{padding:12px 14px}td,th{padding-left:8px}"
    ".charts{grid-template-columns:1fr 1fr;gap:10px}.big{font-size:20px}"
    ".two{grid-template-columns:1fr}svg{height:44px}}";

/* Replace what is shown by what is now; a service that is away dims it. */
static const char script[] =
    "setInterval(async()=>{const m=document.querySelector('main');try{"
    "const r=await fetch('/',{cache:'no-store'});const d=new DOMParser()"
    ".parseFromString(await r.text(),'text/html');"
    "m.replaceWith(d.querySelector('main'))}catch(e){m.style.opacity=.4}},"
    "5000)";

static void
page_write_header(const struct view *v, FILE *out)
{
	const char *mode = status_mode(v);

	fprintf(out,
	    "<header><h1>echod</h1><span class=\"mode %s\">%s</span>"
	    "<span class=dim>%s &middot; pid %ld &middot; up ",
	    mode[0] == 's' && mode[1] == 'e' ? "serving" : "other", mode,
	    PACKAGE_VERSION, (long)v->service->pid);
	status_duration(out, clock_ms() - v->service->started);
	fputs("</span></header>\n", out);
}

static void
page_write_charts(const struct view *v, const struct totals *c, FILE *out)
{
	const struct service_totals *t = &v->service->totals;
	char text[32];

	fputs("<section class=\"grid charts\">\n", out);
	snprintf(text, sizeof(text), "%u", v->config->maxclients);
	page_chart(t, SERIES_CONNECTIONS, "Connections", (double)c->connections,
	    text, out);
	page_chart(t, SERIES_ACCEPTED, "Accepted", -1, NULL, out);
	page_chart(t, SERIES_ECHOES, "Echoes", -1, NULL, out);
	page_chart(t, SERIES_BYTES, "Bytes, in and out", -1, NULL, out);
	fputs("</section>\n", out);
}

static void
page_write_workers(const struct view *v, FILE *out)
{
	const struct arena *a = v->arena;
	uint64_t most = 1;
	char in[32], back[32], echoes[32];

	for (unsigned k = 0; k < v->service->workers; k++)
		if (slot_load(&a->slot[k]) > most)
			most = slot_load(&a->slot[k]);
	fputs(
	    "<section class=card style=\"margin-bottom:14px\"><h2>Workers"
	    "</h2><div class=wide><table><tr><th>Worker<th>State<th>Connections"
	    "<th class=track><th>Echoes<th class=opt>Accepted<th class=opt>In"
	    "<th class=opt>Out<th class=opt>Pid\n",
	    out);
	for (unsigned k = 0; k < v->service->workers; k++) {
		const struct slot *s = &a->slot[k];
		const char *state = status_worker_state(v, k);

		page_short(echoes, sizeof(echoes),
		    (double)atomic_load(&s->count.echoes), "");
		page_short(in, sizeof(in), (double)atomic_load(&s->count.rx),
		    "B");
		page_short(back, sizeof(back),
		    (double)atomic_load(&s->count.tx), "B");
		fprintf(out,
		    "<tr><td>%u<td><span class=%s>%s</span><td>%u"
		    "<td class=track><span class=bar style=\"width:%llu%%\">"
		    "</span><td>%s<td class=opt>%llu<td class=opt>%s"
		    "<td class=opt>%s<td class=\"opt dim\">%ld\n",
		    k, state[0] == 'r' ? "serving" : "other", state,
		    slot_load(s), (ull)slot_load(s) * 100 / (ull)most, echoes,
		    (ull)atomic_load(&s->count.accepted), in, back,
		    (long)v->service->slot[k].pid);
	}
	fputs("</table></div></section>\n", out);
}

static void
page_write_closed(const struct totals *c, FILE *out)
{
	uint64_t most = 1;
	char text[32];

	for (unsigned r = 0; r < CLOSE_REASONS; r++)
		if (c->closed[r] > most)
			most = c->closed[r];
	fputs(
	    "<section class=card><h2>Connections closed</h2><table class=plain>\n",
	    out);
	for (unsigned r = 0; r < CLOSE_REASONS; r++) {
		fprintf(out, "<tr%s><td>%s<td class=track>",
		    c->closed[r] == 0 ? " class=dim" : "",
		    close_reason_name(r));
		if (c->closed[r] > 0)
			fprintf(out,
			    "<span class=bar style=\"width:%llu%%\">"
			    "</span>",
			    (ull)(c->closed[r] * 100 / most));
		page_exact(text, sizeof(text), c->closed[r]);
		fprintf(out, "<td>%s\n", text);
	}
	fputs("</table></section>\n", out);
}

static void
page_fact(FILE *out, const char *name, ull n)
{
	char text[32];

	page_exact(text, sizeof(text), n);
	fprintf(out, "<dt>%s<dd>%s\n", name, text);
}

static void
page_write_events(const struct view *v, const struct totals *c, FILE *out)
{
	const struct service_totals *t = &v->service->totals;

	fputs("<section class=card><h2>Deaths and reloads</h2><dl>\n", out);
	page_fact(out, "Workers died", c->deaths);
	for (int i = 0; i < ARENA_SIGNALS; i++)
		if (t->deaths[i] > 0)
			fprintf(out,
			    "<dt class=dim>&emsp;%s<dd class=dim>%llu\n",
			    i == 0 ? "exit" : signals_name(i),
			    (ull)t->deaths[i]);
	page_fact(out, "Connections saved", t->saved);
	page_fact(out, "Reloads", t->reloads);
	if (t->reloads_refused > 0)
		page_fact(out, "Reloads refused", t->reloads_refused);
	page_fact(out, "Connections kept", t->kept);
	if (t->reloaded != 0) {
		fprintf(out, "<dt>Last pause<dd>%llu ms<dt>Last reload<dd>",
		    (ull)t->pause);
		status_duration(out, clock_ms() - t->reloaded);
		fputs(" ago\n", out);
	}
	fputs("</dl>", out);
	if (*v->service->totals.refusal != '\0') {
		fputs("<p class=other>Refused: ", out);
		quote_html(out, v->service->totals.refusal);
		fputs("</p>", out);
	}
	fputs("</section>\n", out);
}

static void
page_write_listeners(const struct view *v, const struct totals *c, FILE *out)
{
	char in[32], back[32];

	fputs("<section class=card><h2>Service</h2><dl>\n", out);
	for (unsigned i = 0; i < v->service->listeners; i++) {
		unsigned waiting, limit;

		status_queue(v, i, &waiting, &limit);
		fputs("<dt>", out);
		quote_html(out, v->service->listener[i].name);
		fprintf(out, "<dd>%u of %u waiting\n", waiting, limit);
	}
	page_short(in, sizeof(in), (double)c->rx, "B");
	page_short(back, sizeof(back), (double)c->tx, "B");
	fprintf(out, "<dt>Workers<dd>%u of %u ready\n", c->ready,
	    v->service->workers);
	page_fact(out, "Connections ever", c->accepted);
	page_fact(out, "Refused", c->closed[CLOSE_LIMIT]);
	page_fact(out, "Echoes", c->echoes);
	fprintf(out,
	    "<dt>Bytes in<dd>%s<dt>Bytes out<dd>%s\n</dl>"
	    "</section>\n",
	    in, back);
}

void
page_write(const struct view *v, FILE *out)
{
	struct totals c;

	totals_sum(v->arena, v->service, &c);
	fprintf(out,
	    "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
	    "<meta name=viewport content=\"width=device-width,"
	    "initial-scale=1\"><title>echod: %s</title><noscript><meta "
	    "http-equiv=refresh content=5></noscript><style>%s</style></head>"
	    "<body><main>\n",
	    status_mode(v), style);
	page_write_header(v, out);
	page_write_charts(v, &c, out);
	page_write_workers(v, out);
	fputs("<div class=\"grid two\">\n", out);
	page_write_listeners(v, &c, out);
	page_write_closed(&c, out);
	page_write_events(v, &c, out);
	fprintf(out,
	    "</div><footer>Totals are since the start and outlive "
	    "reloads. <a href=\"/metrics\">metrics</a> &middot; "
	    "<a href=\"/healthz\">health</a></footer></main>"
	    "<script>%s</script></body></html>\n",
	    script);
}
