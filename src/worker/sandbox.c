/* SPDX-License-Identifier: ISC */
/*
 * The sandbox: the system calls that workers make, with the arguments that
 * matter.  The kernel kills a worker that makes another call.
 *
 * The kernel does not make the call and sends SIGSYS instead.  The handler
 * stores the number of the call for the master, which logs the name; then the
 * worker dies.  An intruder that controls the process may falsify the number,
 * or prevent the death.  But the call is never made, and the kernel's audit log
 * has a line of its own.
 *
 * Files, programs, processes and new sockets are out of reach.  Open
 * descriptors are not: the table is shared, and a filter cannot tell which
 * descriptors are whose.  echod(8), SECURITY CONSIDERATIONS, lists the
 * consequences.
 */
#include "worker/sandbox.h"

#include <sys/prctl.h>

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/signals.h"
#include "shared/service.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code of SIGSYS, sigaction(2) */
#endif

/* Argument `n` in the bits of `mask` is `value`.  Only the lower half of an int
 * counts: the upper half of its register is undefined. */
#define ARG(n, mask, value) \
	{ \
		n, SCMP_CMP_MASKED_EQ, mask, value \
	}
#define INT(n, value) ARG(n, 0xffffffff, value)
#define NULL_POINTER(n) \
	{ \
		n, SCMP_CMP_EQ, 0, 0 \
	}

#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)

struct permit {
	int call;
	unsigned args;
	struct scmp_arg_cmp arg[2];
};

#define ANY(name) \
	{ \
		.call = SCMP_SYS(name) \
	}
#define ONE(name, a) \
	{ \
		.call = SCMP_SYS(name), .args = 1, .arg = { a } \
	}
#define TWO(name, a, b) \
	{ \
		.call = SCMP_SYS(name), .args = 2, .arg = { a, b } \
	}

static const struct permit permits[] = {
	/* An echo.  Tested first, see sandbox_permit_all().  No address: output
	 * goes to the client that the socket is connected to. */
	TWO(sendto, INT(3, SEND_FLAGS), NULL_POINTER(4)), ANY(recvfrom),
	ANY(epoll_pwait),

	/* Connections are accepted, watched and closed.  A worker makes no
	 * socket. */
	ONE(accept4, INT(3, SOCK_NONBLOCK)),
	/* Other calls only for its own instance: sandbox_permit_watching().
	 * Entries of a slot that it adopts are removed. */
	ONE(epoll_ctl, INT(1, EPOLL_CTL_DEL)), ANY(shutdown), ANY(close),
	/* Recovery: worker/connection/tcp_info.c, recovery/recover.c. */
	TWO(getsockopt, INT(1, IPPROTO_TCP), INT(2, TCP_INFO)),
	TWO(getsockopt, INT(1, SOL_SOCKET), INT(2, SO_COOKIE)),
	TWO(getsockopt, INT(1, SOL_SOCKET), INT(2, SO_ACCEPTCONN)),
	/* tcp_info_hear() */
	TWO(setsockopt, INT(1, IPPROTO_IP), INT(2, IP_MINTTL)),
	TWO(setsockopt, INT(1, IPPROTO_IPV6), INT(2, IPV6_MINHOPCOUNT)),
	ANY(getsockname), ANY(getpeername), ONE(ioctl, INT(1, SIOCINQ)),
	ONE(ioctl, INT(1, SIOCOUTQ)),

	/* Waking others and being woken (eventfd_read, eventfd_write), and
	 * lines of the log.  Without poll, libc uses ppoll. */
	ANY(read), ANY(write), ANY(poll), ANY(ppoll),
	/* libc writes to standard error before it aborts. */
	ONE(writev, INT(0, STDERR_FILENO)),

	/* The vDSO tells the time, but not with every clock source. */
	ANY(clock_gettime), ANY(gettimeofday), ANY(time),
	ANY(sched_yield), /* accept_admit() of accept.c */
	/* loop_rest() of loop.c: nanosleep(3) makes either. */
	ANY(clock_nanosleep), ANY(nanosleep),

	/* Memory: windows are released, and malloc(3) for the active set, on
	 * huge pages or with names if the administrator tunes it so.  Nothing
	 * that can be executed, no file. */
	ANY(brk),
	TWO(mmap, ARG(2, PROT_EXEC, 0), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	ONE(mprotect, ARG(2, PROT_EXEC, 0)), ANY(mremap), ANY(munmap),
	ONE(madvise, INT(2, MADV_REMOVE)), ONE(madvise, INT(2, MADV_DONTNEED)),
	ONE(madvise, INT(2, MADV_HUGEPAGE)), ONE(prctl, INT(0, PR_SET_VMA)),
	ANY(getrandom), /* its key, at the first use */

	/* Signals: is one pending, return from a handler or a stop (SIGSTOP,
	 * SIGCONT), abort(3).  Handlers are set before. */
	ANY(rt_sigpending), ANY(rt_sigprocmask), ANY(rt_sigreturn),
	ANY(restart_syscall),

	ANY(getpid), ANY(gettid), ANY(getppid), ANY(exit_group),

	/*
	 * Not permitted, although similar programs often make them: futex
	 * (there is one thread), fstat of other files than the log, ioctl
	 * TCGETS and lseek (stdio), rseq, set_robust_list and membarrier
	 * (threads), open and stat of /etc/localtime (see
	 * sandbox_settle_time_zone()), rt_sigaction (abort(3) makes it if its
	 * signal did not kill).
	 */
};

/* The slot in which sandbox_denied() stores the number. */
static struct slot *accused;

static void
sandbox_denied(int signo, siginfo_t *info, void *context)
{
	(void)context;
	/* kill(1) can send this signal, too. */
	if (info->si_code == SYS_SECCOMP)
		atomic_store(&accused->denied,
		    (uint64_t)info->si_arch << 32 | (uint32_t)info->si_syscall);
	/* The signal is delivered at the return, with its default action: the
	 * core shows which code made the call. */
	(void)raise(signo);
}

/* Signals to itself, for raise(3) and so for abort(3) and sandbox_denied(). */
static int
sandbox_permit_raise(scmp_filter_ctx filter, int signo)
{
	const struct scmp_arg_cmp arg[] = {
		INT(0, (scmp_datum_t)getpid()),
		INT(2, (scmp_datum_t)signo),
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
	    2, arg);
}

/* For the log file: does it still have a name?  (lib/log_sink.c) */
static int
sandbox_permit_log_file(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp arg[] = {
		INT(0, (scmp_datum_t)log_descriptor()),
	};

	if (log_descriptor() == -1)
		return 0;
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(fstat),
	    1, arg);
}

/* Syslog's socket is not connected (lib/log.c): it needs an address. */
static int
sandbox_permit_syslog(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp arg[] = {
		INT(0, (scmp_datum_t)log_syslog_descriptor()),
		INT(3, SEND_FLAGS),
	};

	if (log_syslog_descriptor() == -1)
		return 0;
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto),
	    2, arg);
}

/* The epoll instance that the worker may change.  Other processes have other
 * instances, and use the data of events as indices or addresses.  The number is
 * the service state's, not the arena's. */
static int
sandbox_permit_watching(scmp_filter_ctx filter, const struct worker *w)
{
	const struct scmp_arg_cmp arg[] = {
		INT(0,
		    (scmp_datum_t)w->arena->service->slot[w->number].watch_fd),
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
	    SCMP_SYS(epoll_ctl), 1, arg);
}

static int
sandbox_permit_all(scmp_filter_ctx filter, const struct worker *w)
{
	int error;

	for (size_t i = 0; i < sizeof(permits) / sizeof(permits[0]); i++) {
		const struct permit *p = &permits[i];

		/* Calls that this architecture does not have are skipped. */
		error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, p->call,
		    p->args, p->arg);
		if (error == 0 && i < 3)
			error = seccomp_syscall_priority(filter, p->call,
			    (uint8_t)(255 - i));
		if (error != 0)
			return error;
	}
	error = sandbox_permit_watching(filter, w);
	if (error == 0)
		error = sandbox_permit_log_file(filter);
	if (error == 0)
		error = sandbox_permit_syslog(filter);
	if (error == 0)
		error = sandbox_permit_raise(filter, SIGABRT);
	if (error == 0)
		error = sandbox_permit_raise(filter, SIGSYS);
	return error;
}

/* Returns 0 or -errno. */
static int
sandbox_load(const struct worker *w, bool log_only)
{
	uint32_t others = log_only ? SCMP_ACT_LOG : SCMP_ACT_TRAP;
	scmp_filter_ctx filter = seccomp_init(others);
	int error;

	if (filter == NULL)
		return -ENOMEM;
	error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, others);
	if (error == 0)
		error = sandbox_permit_all(filter, w);
	/* The kernel's audit log reports denied calls, if it can.  And before
	 * Linux 5.16 a filter turned off the processor's speculation: that
	 * protects a process from programs that run inside it, and a worker
	 * runs none. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

/* Without TZ, libc checks again and again whether /etc/localtime has changed.
 * With TZ, the zone stays as it was when the worker started. */
static void
sandbox_settle_time_zone(void)
{
	(void)setenv("TZ", ":/etc/localtime", 0);
	tzset();
}

static void
sandbox_filter_calls(const struct worker *w)
{
	int error;

	sandbox_settle_time_zone();
	accused = w->slot;
	if (w->config->sandbox == SANDBOX_YES)
		signals_trap(SIGSYS, sandbox_denied);
	error = sandbox_load(w, w->config->sandbox == SANDBOX_LOG);
	if (error == 0 ||
	    atomic_exchange(&w->arena->header->unfiltered, 1) != 0)
		return;
	errno = -error;
	log_warn("sandbox: workers can make any system call, the kernel has no "
		 "filter");
}
#endif

void
sandbox_enter(const struct worker *w)
{
	/* A worker executes nothing.  This works without a filter, too. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifdef HAVE_SECCOMP
	if (w->config->sandbox != SANDBOX_NO)
		sandbox_filter_calls(w);
#else
	(void)w;
#endif
}
