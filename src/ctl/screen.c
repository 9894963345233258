/* SPDX-License-Identifier: ISC */
/*
 * The screen of `echoctl top`: the one user of ncurses.
 *
 * Each line is cut to the screen's width; lines that there is no room for are
 * left out, those of workers or services first.
 */
#include "ctl/screen.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "ctl/rates.h"

/* The first column of the table. */
#define NAME_WIDTH 12
/* Less is no bar. */
#define BAR_MIN 5
/* The summary is shown if so many lines are left for the table. */
#define TABLE_LINES 6

enum colour {
	COLOUR_GOOD = 1,
	COLOUR_CHANGING,
	COLOUR_BAD
};

static struct {
	SCREEN *terminal;
	bool colours, reverse;
	bool services; /* not workers */
	int sort;      /* an enum figure; -1: as they come */
} state = { .sort = -1 };

static bool
screen_wants_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return (no == NULL || no[0] == '\0') && has_colors() &&
	    start_color() == OK;
}

/* A screen needs a terminal with a cursor that can be put anywhere. */
static bool
screen_is_possible(void)
{
	const char *cup;
	int error;
	bool possible;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return false;
	cup = tigetstr("cup");
	possible = cup != NULL && cup != (const char *)-1;
	del_curterm(cur_term);
	return possible;
}

bool
screen_begin(void)
{
	if (!screen_is_possible())
		return false;
	setlocale(LC_CTYPE, "");
	state.terminal = newterm(NULL, stdout, stdin);
	if (state.terminal == NULL)
		return false;
	atexit(screen_end);
	if (screen_wants_colour()) {
		state.colours = true;
		use_default_colors();
		init_pair(COLOUR_GOOD, COLOR_GREEN, -1);
		init_pair(COLOUR_CHANGING, COLOR_YELLOW, -1);
		init_pair(COLOUR_BAD, COLOR_RED, -1);
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	return true;
}

void
screen_end(void)
{
	if (state.terminal == NULL)
		return;
	endwin();
	delscreen(state.terminal);
	state.terminal = NULL;
}

/* A colour, or what stands for it where there is none. */
static attr_t
screen_colour(enum colour c)
{
	if (state.colours)
		return (attr_t)COLOR_PAIR(c);
	return c == COLOUR_GOOD ? A_NORMAL : A_BOLD;
}

static void screen_put(int y, int x, attr_t how, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Write text, cut at the right edge. */
static void
screen_put(int y, int x, attr_t how, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (y < 0 || y >= LINES || x >= COLS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	attrset(how);
	(void)mvaddnstr(y, x, text, COLS - x);
	attrset(A_NORMAL);
}

/* The service in three lines; the first one is always there.  Returns the next
 * line. */
static int
screen_draw_service(const struct sample *s)
{
	long up = (long)s->uptime;
	bool serving = strcmp(s->mode, "serving") == 0;

	screen_put(0, 0, A_BOLD, "echod");
	screen_put(0, 7, serving ? A_NORMAL : screen_colour(COLOUR_CHANGING),
	    "%s", s->mode);
	screen_put(0, 7 + (int)strlen(s->mode), A_NORMAL,
	    ", up %ld d %02ld:%02ld:%02ld", up / 86400, up / 3600 % 24,
	    up / 60 % 60, up % 60);
	if (LINES < 4 + TABLE_LINES)
		return 1;
	screen_put(1, 0, A_NORMAL,
	    "%.0f of %.0f connections, %.0f waiting, %.0f refused",
	    s->total.value[FIGURE_connections], s->max_connections, s->waiting,
	    s->refused);
	screen_put(2, 0, A_NORMAL,
	    "%.0f deaths, %.0f connections saved; %.0f reloads, last paused "
	    "%.0f ms",
	    s->deaths, s->saved, s->reloads, s->pause * 1000);
	return 4;
}

/* The titles.  That of the sort key is not in reverse video. */
static void
screen_draw_titles(int y)
{
	int x = NAME_WIDTH;

	if (y >= LINES)
		return;
	attrset(A_REVERSE);
	mvhline(y, 0, ' ', COLS);
	screen_put(y, 0, state.sort == -1 ? A_BOLD : A_REVERSE, "%s",
	    state.services ? "SERVICE" : "WORKER");
	for (int f = 0; f < FIGURES; f++) {
		const struct rates_column *c = &rates_columns[f];
		int width = (int)strlen(c->title);

		x += 1 + c->width;
		screen_put(y, x - width, state.sort == f ? A_BOLD : A_REVERSE,
		    "%s", c->title);
	}
}

/* A bar for a share of all echoes. */
static void
screen_draw_bar(int y, double part, double whole)
{
	int x = NAME_WIDTH + 2, room, n;

	for (int f = 0; f < FIGURES; f++)
		x += 1 + rates_columns[f].width;
	room = COLS - x;
	if (room < BAR_MIN || whole <= 0)
		return;
	n = (int)(part / whole * room + 0.5);
	attrset(screen_colour(COLOUR_GOOD));
	mvhline(y, x, '#', n < room ? n : room);
	attrset(A_NORMAL);
}

/* What screen_compare() compares. */
static const struct sample_rows *sorted_now, *sorted_then;
static uint64_t sorted_ms;

/* Row `i` of what is sorted, in the column that it is sorted by. */
static double
screen_sort_value(unsigned i)
{
	return state.sort == -1
	    ? 0
	    : rates_value(&sorted_now->row[i].figures,
		  &sample_before(sorted_now, sorted_then, i)->figures,
		  (enum figure)state.sort, sorted_ms);
}

static int
screen_compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	double m = screen_sort_value(x), n = screen_sort_value(y);
	int order;

	/* The largest comes first; of equal ones the lowest number. */
	order = m != n ? (m < n ? 1 : -1) : x > y ? 1 : -1;
	return state.reverse ? -order : order;
}

/* The name of a worker or service, and its state if all is not well. */
static void
screen_draw_name(int y, const struct sample_row *row)
{
	bool good = strcmp(row->state, state.services ? "serving" : "ready") ==
	    0;

	if (state.services)
		screen_put(y, 0, good ? A_NORMAL : screen_colour(COLOUR_BAD),
		    "%.*s", NAME_WIDTH, row->name);
	else {
		screen_put(y, 0, A_NORMAL, "%s", row->name);
		if (!good)
			screen_put(y, 4, screen_colour(COLOUR_BAD), "%.8s",
			    row->state);
	}
}

/* The workers or services, sorted, in the lines from `y` up to `end`. */
static void
screen_draw_rows(const struct sample *now, const struct sample *then, int y,
    int end)
{
	static unsigned order[SAMPLE_ROWS];
	const struct sample_rows *rows = state.services ? &now->services
							: &now->workers;
	uint64_t ms = now->at - then->at;
	double whole = rates_value(&now->total, &then->total, FIGURE_echoes,
	    ms);
	char line[256];

	sorted_now = rows;
	sorted_then = state.services ? &then->services : &then->workers;
	sorted_ms = ms;
	for (unsigned i = 0; i < rows->count; i++)
		order[i] = i;
	qsort(order, rows->count, sizeof(order[0]), screen_compare);
	for (unsigned i = 0; i < rows->count && y < end; i++, y++) {
		const struct figures *f = &rows->row[order[i]].figures;
		const struct figures
		    *g = &sample_before(rows, sorted_then, order[i])->figures;

		screen_draw_name(y, &rows->row[order[i]]);
		rates_values(line, sizeof(line), f, g, ms);
		screen_put(y, NAME_WIDTH, A_NORMAL, "%s", line);
		screen_draw_bar(y, rates_value(f, g, FIGURE_echoes, ms), whole);
	}
}

static void
screen_draw_legend(const struct sample *now)
{
	char text[256];
	size_t n;

	/* One service is the whole, which has a line anyway. */
	snprintf(text, sizeof(text), "q quits; %ssort: w %s",
	    state.services		  ? "s workers; "
		: now->services.count > 1 ? "s services; "
					  : "",
	    state.services ? "service" : "worker");
	for (int f = 0; f < FIGURES; f++) {
		n = strlen(text);
		snprintf(text + n, sizeof(text) - n, " %c %s",
		    rates_columns[f].key, rates_columns[f].legend);
	}
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, "; r reverse");
	screen_put(LINES - 1, 0, A_DIM, "%s", text);
}

static void
screen_fit(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
	    size.ws_col > 0 && (size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
}

void
screen_draw(const struct sample *now, const struct sample *then)
{
	char line[256];
	int y;

	screen_fit();
	erase();
	y = screen_draw_service(now);
	screen_draw_titles(y++);
	rates_values(line, sizeof(line), &now->total, &then->total,
	    now->at - then->at);
	screen_put(y, 0, A_BOLD, "all");
	screen_put(y++, NAME_WIDTH, A_BOLD, "%s", line);
	screen_draw_rows(now, then, y, LINES - 1);
	if (LINES > 1)
		screen_draw_legend(now);
	refresh();
}

void
screen_say_waiting(void)
{
	move(LINES - 1, 0);
	clrtoeol();
	screen_put(LINES - 1, 0, screen_colour(COLOUR_BAD),
	    "no answer yet: administration is coming back");
	refresh();
}

bool
screen_take_keys(void)
{
	bool any = false;

	for (int key = getch(); key != ERR; key = getch()) {
		any = true;
		if (key == 'q' || key == 'Q')
			return false;
		if (key == 'w')
			state.sort = -1;
		else if (key == 's')
			state.services = !state.services;
		else if (key == 'r')
			state.reverse = !state.reverse;
		else if (key == '\f')
			clearok(curscr, TRUE);
		for (int f = 0; f < FIGURES; f++)
			if (key == rates_columns[f].key)
				state.sort = f;
	}
	return any;
}
