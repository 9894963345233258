/*
 * Rates, live: a screen in a terminal, lines of text or of JSON otherwise.
 * What is shown is the difference of two looks at the metrics.
 */
#include "ctl/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "ctl/look.h"

#define INTERVAL 1000

enum form { FORM_SCREEN, FORM_LINES, FORM_JSON };

/* "12.3k" in six places. */
static const char *
short_number(char *text, size_t size, double n)
{
	static const char units[] = " kMGT";
	int i = 0;

	if (n < 0)
		n = 0;
	while (n >= 999.5 && units[i + 1] != '\0') {
		n /= 1000;
		i++;
	}
	if (i == 0)
		snprintf(text, size, "%.0f", n);
	else
		snprintf(text, size, n < 9.95 ? "%.2f%c" : n < 99.5 ? "%.1f%c" :
		    "%.0f%c", n, units[i]);
	return text;
}

static double
rate(const struct figures *now, const struct figures *then, int column,
    uint64_t ms)
{
	return ms == 0 ? 0 : (now->value[column] - then->value[column]) *
	    1000 / (double)ms;
}

static void
print_figures(const struct figures *now, const struct figures *then,
    uint64_t ms)
{
	char text[4][16];

	printf(" %11.0f %9s %9s %9s %9s", now->value[CONNECTIONS],
	    short_number(text[0], 16, rate(now, then, ACCEPTED, ms)),
	    short_number(text[1], 16, rate(now, then, ECHOES, ms)),
	    short_number(text[2], 16, rate(now, then, RECEIVED, ms)),
	    short_number(text[3], 16, rate(now, then, SENT, ms)));
}

/* A bar of `width` columns for a share of all echoes. */
static void
print_bar(double part, double whole, int width)
{
	int n = whole > 0 ? (int)(part / whole * width + 0.5) : 0;

	fputs("  ", stdout);
	for (int i = 0; i < n && i < width; i++)
		putchar('#');
}

static const char *
mode(const struct look *now)
{
	return now->stopping > 0 ? "stopping" : now->draining > 0 ?
	    "draining" : "serving";
}

static void
draw(const struct look *now, const struct look *then, int rows, int columns)
{
	uint64_t ms = now->at - then->at;
	long up = (long)now->uptime;
	double whole = rate(&now->total, &then->total, ECHOES, ms);
	int room = rows - 7, bar = columns - 66;

	printf("\033[H\033[1mechod\033[0m  %s, up %ld d %02ld:%02ld:%02ld"
	    "\033[K\n", mode(now), up / 86400, up / 3600 % 24, up / 60 % 60,
	    up % 60);
	printf("%.0f of %.0f connections, %.0f waiting, %.0f refused\033[K\n",
	    now->total.value[CONNECTIONS], now->most, now->waiting,
	    now->refused);
	printf("%.0f deaths, %.0f connections saved; %.0f reloads, last paused "
	    "%.0f ms\033[K\n\033[K\n", now->deaths, now->saved, now->reloads,
	    now->pause * 1000);
	printf("\033[7m%-8s %11s %9s %9s %9s %9s\033[K\033[0m\n", "WORKER",
	    "CONNECTIONS", "ACCEPT/s", "ECHO/s", "IN B/s", "OUT B/s");
	printf("\033[1m%-8s", "all");
	print_figures(&now->total, &then->total, ms);
	printf("\033[0m\033[K\n");
	for (unsigned k = 0; k < now->workers && (int)k < room; k++) {
		printf("%-3u%-5s", k, now->worker[k].value[READY] > 0 ? "" :
		    "away");
		print_figures(&now->worker[k], &then->worker[k], ms);
		if (bar > 4)
			print_bar(rate(&now->worker[k], &then->worker[k],
			    ECHOES, ms), whole, bar);
		printf("\033[K\n");
	}
	printf("\033[J\033[%d;1H\033[2mq quits\033[0m\033[K", rows);
	fflush(stdout);
}

static void
stream(const struct look *now, const struct look *then, unsigned round)
{
	if (round % 20 == 0)
		printf("%-8s %11s %9s %9s %9s %9s\n", "UPTIME", "CONNECTIONS",
		    "ACCEPT/s", "ECHO/s", "IN B/s", "OUT B/s");
	printf("%-8.0f", now->uptime);
	print_figures(&now->total, &then->total, now->at - then->at);
	putchar('\n');
	fflush(stdout);
}

static void
json_figures(const struct figures *now, const struct figures *then,
    uint64_t ms)
{
	printf("\"connections\":%.0f,\"accepted_per_second\":%.3f,"
	    "\"echoes_per_second\":%.3f,\"in_per_second\":%.3f,"
	    "\"out_per_second\":%.3f", now->value[CONNECTIONS],
	    rate(now, then, ACCEPTED, ms), rate(now, then, ECHOES, ms),
	    rate(now, then, RECEIVED, ms), rate(now, then, SENT, ms));
}

/* An object on a line of its own. */
static void
stream_json(const struct look *now, const struct look *then)
{
	uint64_t ms = now->at - then->at;

	printf("{\"mode\":\"%s\",\"uptime\":%.3f,\"maxclients\":%.0f,"
	    "\"waiting\":%.0f,\"refused\":%.0f,\"deaths\":%.0f,"
	    "\"saved\":%.0f,\"reloads\":%.0f,", mode(now), now->uptime,
	    now->most, now->waiting, now->refused, now->deaths, now->saved,
	    now->reloads);
	json_figures(&now->total, &then->total, ms);
	fputs(",\"workers\":[", stdout);
	for (unsigned k = 0; k < now->workers; k++) {
		printf("%s{\"worker\":%u,\"ready\":%s,", k > 0 ? "," : "",
		    k, now->worker[k].value[READY] > 0 ? "true" : "false");
		json_figures(&now->worker[k], &then->worker[k], ms);
		putchar('}');
	}
	puts("]}");
	fflush(stdout);
}

static struct termios before;

static void
enter_screen(void)
{
	struct termios t = before;

	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t);
	fputs("\033[?1049h\033[?25l\033[2J", stdout);
}

static void
leave_screen(void)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static bool
told_to_end(void)
{
	bool told = false;

	told = signals_take(SIGINT) > 0 || told;
	told = signals_take(SIGTERM) > 0 || told;
	return signals_take(SIGHUP) > 0 || told;
}

/* Sleep until `wake`; returns true if the user wants to end, or the reader of
 * a pipe has `gone`.  A change of the terminal's size ends the sleep. */
static bool
pause_until(uint64_t wake, bool screen, bool *gone)
{
	struct pollfd p[] = {
		{ screen ? STDIN_FILENO : -1, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 },	/* POLLERR, POLLHUP */
	};
	struct timespec ts;
	char key = 0;

	while (clock_ms() < wake) {
		int n = ppoll(p, 2, clock_left(wake, clock_ms(), &ts),
		    signals_open_mask());

		*gone = n > 0 && p[1].revents != 0;
		if (n > 0 && (*gone ||
		    read(STDIN_FILENO, &key, 1) != 1 || key == 'q' ||
		    key == 'Q'))
			return true;
		if (told_to_end())
			return true;
		if (signals_take(SIGWINCH) > 0)
			break;
	}
	return told_to_end();
}

static void
show(const struct look *now, const struct look *then, enum form form,
    unsigned round)
{
	struct winsize size;

	if (form == FORM_JSON) {
		stream_json(now, then);
		return;
	}
	if (form == FORM_LINES) {
		stream(now, then, round);
		return;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_row == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	draw(now, then, size.ws_row, size.ws_col);
}

int
top_run(const char *path, unsigned rounds, bool json)
{
	static const int recorded[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, 0 };
	static struct look then, now, last;
	enum form form = json ? FORM_JSON : isatty(STDOUT_FILENO) &&
	    tcgetattr(STDIN_FILENO, &before) == 0 ? FORM_SCREEN : FORM_LINES;
	bool screen = form == FORM_SCREEN, end = false, gone = false;

	if (look_at(&then, path) == -1)
		return 1;
	signals_block();
	signals_choose(recorded);
	if (screen)
		enter_screen();
	now = then;
	/* SIGPIPE is blocked as the others are: a stream that fails is seen. */
	for (unsigned round = 0; !end && !ferror(stdout) &&
	    (rounds == 0 || round < rounds); round++) {
		if (screen)
			show(&now, &then, form, round);
		end = pause_until(clock_ms() + INTERVAL, screen, &gone);
		last = now;
		if (end || look_at(&now, path) == -1)
			break;
		then = last;
		if (!screen)
			show(&now, &then, form, round);
	}
	if (screen)
		leave_screen();
	return gone || now.workers == 0;
}
