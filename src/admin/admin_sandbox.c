/* SPDX-License-Identifier: ISC */
/*
 * The sandbox of the administration process: it answers clients that have come
 * by its listeners, and reads memory.  Files, programs, processes, new sockets
 * and other processes' memory are out of reach.
 */
#include "admin/admin_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/call_name.h"
#include "lib/log.h"
#include "lib/seccomp_filter.h"
#include "lib/signals.h"
#include "shared/request.h"

/* Beside those of clients: its own, epoll instances, netlink. */
#define DESCRIPTORS (ADMIN_DESCRIPTORS + 16)
/* Private memory.  A million connections are 64 MiB of sock_diag's table while
 * it grows; all clients' answers are less. */
#define MEMORY_BYTES ((rlim_t)256 << 20)
/* To be killed rather than a worker, oom_score_adj of proc(5). */
#define OOM_SCORE "900"

#if defined(__SANITIZE_ADDRESS__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

static void
admin_sandbox_limit(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == -1 ||
	    (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < most))
		return;
	limit.rlim_cur = limit.rlim_max = most;
	(void)setrlimit(resource, &limit);
}

void
admin_sandbox_bound(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd != -1) {
		(void)!write(fd, OOM_SCORE, strlen(OOM_SCORE));
		close(fd);
	}
	admin_sandbox_limit(RLIMIT_NOFILE,
	    CONFIG_CONTROL_CLIENTS + CONFIG_METRICS_CLIENTS + DESCRIPTORS);
	/* AddressSanitizer maps terabytes of shadow memory. */
	if (!INSTRUMENTED)
		admin_sandbox_limit(RLIMIT_DATA, MEMORY_BYTES);
}

/* A service without `user` may be root, but this part of it needs none of
 * root's powers. */
static void
admin_sandbox_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	(void)syscall(SYS_capset, &header, none);
}

#ifdef HAVE_SECCOMP
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code of SIGSYS, sigaction(2) */
#endif

static const struct permit permits[] = {
	/* Clients, the master, sock_diag. */
	ANY(epoll_wait),
	ANY(epoll_pwait),
	ANY(epoll_ctl),
	ANY(poll),
	ANY(ppoll),
	ANY(accept4),
	ANY(accept),
	ANY(recvfrom),
	ANY(recvmsg),
	ANY(sendto),
	ANY(sendmsg),
	ANY(read),
	ANY(write),
	ANY(writev),
	ANY(shutdown),
	ANY(close),
	ANY(getsockopt),
	ANY(setsockopt),
	ANY(getsockname),
	ANY(getpeername),
	/* The library makes its sockets non-blocking again. */
	ONE(fcntl, INT(1, F_GETFL)),
	ONE(fcntl, INT(1, F_SETFL)),
	ONE(fcntl, INT(1, F_GETFD)),
	ONE(fcntl, INT(1, F_SETFD)),

	ANY(clock_gettime),
	ANY(gettimeofday),
	ANY(time),
	ANY(clock_nanosleep),
	ANY(nanosleep),

	/* Memory: nothing that can be executed, no file, and none of the
	 * mappings made writable. */
	ANY(brk),
	TWO(mmap, ARG(2, PROT_EXEC, 0), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	ONE(mprotect, ARG(2, PROT_EXEC | PROT_WRITE, 0)),
	ANY(mremap),
	ANY(munmap),
	ONE(madvise, INT(2, MADV_DONTNEED)),
	ONE(madvise, INT(2, MADV_HUGEPAGE)),
	ONE(prctl, INT(0, PR_SET_VMA)),
	ANY(getrandom),
	ANY(futex),

	ANY(rt_sigprocmask),
	ANY(rt_sigreturn),
	ANY(restart_syscall),
	ANY(getpid),
	ANY(gettid),
	ANY(getppid),
	ANY(geteuid),
	ANY(getegid),
	ANY(getuid),
	ANY(getgid),
	ANY(exit_group),
};

/* Say in the log which call it was; then die of it. */
static void
admin_sandbox_denied(int signo, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == SYS_SECCOMP)
		log_warnx("sandbox: %s, which the administration process never "
			  "makes",
		    call_name((uint32_t)info->si_arch, info->si_syscall));
	(void)raise(signo);
}

static int
admin_sandbox_load(bool log_only)
{
	scmp_filter_ctx filter = seccomp_filter_begin(log_only);
	int error;

	if (filter == NULL)
		return -ENOMEM;
	error = seccomp_filter_permit(filter, permits,
	    sizeof(permits) / sizeof(permits[0]), 0);
	return seccomp_filter_load(filter, error);
}

static void
admin_sandbox_filter_calls(const struct config *c)
{
	int error;

	seccomp_filter_settle_time_zone();
	if (c->sandbox == SANDBOX_YES)
		signals_trap(SIGSYS, admin_sandbox_denied);
	error = admin_sandbox_load(c->sandbox == SANDBOX_LOG);
	if (error == 0)
		return;
	errno = -error;
	log_warn("sandbox: this process can make any system call, the kernel "
		 "has no filter");
}
#endif

void
admin_sandbox_enter(const struct config *c)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	admin_sandbox_drop_capabilities();
#ifdef HAVE_SECCOMP
	if (c->sandbox != SANDBOX_NO)
		admin_sandbox_filter_calls(c);
#else
	(void)c;
#endif
}
