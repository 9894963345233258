/* SPDX-License-Identifier: ISC */
/*
 * A child that runs the module; the home of fork(2) and waitpid(2) in
 * echod-handler-test.
 */
#include "handler-test/child.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "handler-test/call.h"
#include "handler-test/tester.h"
#include "lib/call_name.h"
#include "lib/seccomp_filter.h"
#include "lib/signals.h"

#define CHILD_LOOK_MS 10000 /* for configure(), which may read files */
#define CHILD_SILENT_S 60   /* without a step, by the clock on the wall */

static const char *child_path;
static const struct echod_option *child_options;
static size_t child_count;

void
child_begin(const char *path, const struct echod_option *options, size_t count)
{
	sigset_t set;

	tester = mmap(NULL, sizeof(*tester), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tester == MAP_FAILED)
		err(2, "mmap");
	child_path = path;
	child_options = options;
	child_count = count;
	/* For sigtimedwait(2). */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

#ifdef HAVE_SECCOMP
/* What a worker lets a handler do: echod/handler.h.  The worker's own calls are
 * not here. */
static const struct permit permits[] = {
	ANY(clock_gettime),
	ANY(gettimeofday),
	ANY(time),
	ANY(getrandom),
	ANY(brk),
	TWO(mmap, ARG(2, PROT_EXEC, 0), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	ONE(mprotect, ARG(2, PROT_EXEC, 0)),
	ANY(mremap),
	ANY(munmap),
	ONE(madvise, INT(2, MADV_DONTNEED)),
	ONE(madvise, INT(2, MADV_HUGEPAGE)),
	ANY(rt_sigprocmask),
	ANY(rt_sigreturn),
	ANY(getpid),
	ANY(gettid),
	ANY(exit_group),
	/* libc writes to standard error before it aborts. */
	ONE(writev, INT(0, STDERR_FILENO)),
};

static void
child_denied(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	tester->call_arch = info->si_arch;
	tester->call = info->si_syscall;
	_exit(1);
}

static void
child_filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_filter_begin(false);
	int error;

	signals_trap(SIGSYS, child_denied);
	if (filter == NULL)
		errx(2, "seccomp");
	error = seccomp_filter_permit(filter, permits,
	    sizeof(permits) / sizeof(permits[0]), 0);
	error = seccomp_filter_load(filter, error);
	if (error != 0) {
		errno = -error;
		err(2, "seccomp");
	}
}
#else
static void
child_filter_calls(void)
{
}
#endif

/* The fault comes again when this returns, and ends the child. */
static void
child_crashed(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (tester->inside != INSIDE_NOTHING)
		call_note_fault(info->si_addr);
}

static void
child_describe(const struct module *m)
{
	const struct echod_handler *h = m->handler;
	const char *address = m->config == NULL
	    ? NULL
	    : module_address_in(m->config, m->config_size);

	snprintf(tester->name, sizeof(tester->name), "%s", h->name);
	snprintf(tester->version, sizeof(tester->version), "%s", h->version);
	tester->in_max = h->in_max;
	tester->out_max = h->out_max;
	tester->state_size = h->state_size;
	tester->probe_size = h->probe_size;
	if (h->probe_size > 0)
		memcpy(tester->probe, h->probe, h->probe_size);
	if (address != NULL)
		tester_found(PROMISE_MOVED, 0,
		    "configure() stores an address of %s, which another "
		    "worker has not",
		    address);
	tester->usable = true;
}

static void
child_work(const struct check *c)
{
	const struct rlimit no_core = { 0, 0 };
	struct module m = { NULL, NULL, 0 };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	signals_trap(SIGSEGV, child_crashed);
	signals_trap(SIGBUS, child_crashed);
	if (!module_load(&m, child_path, child_options, child_count))
		_exit(0);
	if (c == NULL) {
		child_describe(&m);
		_exit(0);
	}
	checks_begin(&m);
	seccomp_filter_settle_time_zone();
	child_filter_calls();
	checks_input(c);
	_exit(0);
}

/* The CPU time of a child, in ms. */
static uint64_t
child_cpu_ms(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) == -1)
		return 0;
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Wait for a child.  Returns false if it hangs: then it is killed. */
static bool
child_wait(pid_t pid, unsigned limit_ms, int *status)
{
	const struct timespec moment = { 0, 20000000 };
	uint64_t serial = 0, since = 0;
	time_t seen = time(NULL);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(pid, status, WNOHANG) == 0) {
		uint64_t now = child_cpu_ms(pid);

		if (serial != tester->serial ||
		    tester->inside == INSIDE_NOTHING) {
			serial = tester->serial;
			since = now;
			seen = time(NULL);
		} else if (now - since > limit_ms ||
		    time(NULL) - seen > CHILD_SILENT_S) {
			kill(pid, SIGKILL);
			(void)waitpid(pid, status, 0);
			return false;
		}
		(void)sigtimedwait(&set, NULL, &moment);
	}
	return true;
}

static const char *
child_inside(void)
{
	static const char *const words[] = {
		[INSIDE_NOTHING] = "the tester",
		[INSIDE_LOAD] = "its constructor",
		[INSIDE_CONFIGURE] = "configure()",
		[INSIDE_STEP] = "step()",
		[INSIDE_MIGRATE] = "migrate()",
	};

	return words[tester->inside];
}

/* How a child that did not come to its end came to it. */
static void
child_judge(bool hangs, int status, unsigned limit_ms)
{
	enum promise p = tester->inside == INSIDE_MIGRATE ? PROMISE_MIGRATE
							  : PROMISE_CALLS;

	if (hangs)
		tester_found(p, tester->event,
		    "%s does not return within %u ms of CPU time",
		    child_inside(), limit_ms);
	else if (tester->call != -1)
		tester_found(p, tester->event, "%s makes the system call %s",
		    child_inside(), call_name(tester->call_arch, tester->call));
	else if (WIFSIGNALED(status))
		tester_found(tester->fault[0] != '\0' ? tester->fault_promise
						      : p,
		    tester->event, "%s %s%s(%s)", child_inside(),
		    tester->fault[0] != '\0' ? tester->fault : "crashes", " ",
		    signals_name(WTERMSIG(status)));
	else
		tester_found(p, tester->event, "%s ends the process",
		    child_inside());
}

static bool
child_run(const struct check *c, unsigned limit_ms)
{
	bool hangs;
	int status = 0;
	pid_t pid;

	tester->inside = INSIDE_NOTHING;
	tester->call = -1;
	tester->fault[0] = '\0';
	tester->event = 0;
	fflush(NULL);
	pid = fork();
	if (pid == -1)
		err(2, "fork");
	if (pid == 0)
		child_work(c);
	hangs = !child_wait(pid, limit_ms, &status);
	if (!hangs && WIFEXITED(status) && WEXITSTATUS(status) == 2 &&
	    tester->inside == INSIDE_NOTHING)
		errx(2, "a child could not begin");
	if (!hangs && status == 0 && tester->inside == INSIDE_NOTHING)
		return true;
	child_judge(hangs, status, limit_ms);
	return false;
}

bool
child_look(void)
{
	struct finding *f = &tester->finding[PROMISE_CALLS];

	tester->usable = false;
	tester->error[0] = '\0';
	if (!child_run(NULL, CHILD_LOOK_MS)) {
		snprintf(tester->error, sizeof(tester->error), "%.250s: %.250s",
		    child_path, f->what);
		f->found = false;
		return false;
	}
	return tester->usable;
}

bool
child_check(const struct check *c, unsigned limit_ms)
{
	return child_run(c, limit_ms);
}
