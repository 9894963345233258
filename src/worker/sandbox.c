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
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/seccomp_filter.h"
#include "lib/signals.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code of SIGSYS, sigaction(2) */
#endif

#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)

static const struct permit permits[] = {
	/* An echo.  Tested first, see sandbox_load().  No address: output
	 * goes to the client that the socket is connected to. */
	TWO(sendto, INT(3, SEND_FLAGS), NULL_POINTER(4)), ANY(recvfrom),
	ANY(epoll_pwait),
	/* The first of two parts of a reply. */
	TWO(sendto, INT(3, SEND_FLAGS | MSG_MORE), NULL_POINTER(4)),

	/* Connections are accepted, watched and closed.  A worker makes no
	 * socket. */
	ONE(accept4, INT(3, SOCK_NONBLOCK)),
	/* Other calls only for its own instance: sandbox_permit_known().
	 * Entries of a slot that it adopts are removed. */
	ONE(epoll_ctl, INT(1, EPOLL_CTL_DEL)), ANY(shutdown), ANY(close),
	/* Recovery: worker/connection/tcp_info.c, recovery/recover.c. */
	TWO(getsockopt, INT(1, IPPROTO_TCP), INT(2, TCP_INFO)),
	TWO(getsockopt, INT(1, SOL_SOCKET), INT(2, SO_COOKIE)),
	TWO(getsockopt, INT(1, SOL_SOCKET), INT(2, SO_ACCEPTCONN)),
	/* close_reset() */
	TWO(setsockopt, INT(1, SOL_SOCKET), INT(2, SO_LINGER)),
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
	 * seccomp_filter_settle_time_zone()), rt_sigaction (abort(3) makes it
	 * if its signal did not kill).
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

/* Of some descriptors that this process knows by their numbers: what workers
 * may do with them.  The numbers are not asked of the arena. */
static int
sandbox_permit_known(scmp_filter_ctx filter, const struct worker *w)
{
	const struct permit known[] = {
		/* What it may put something into: its own epoll instance. */
		ONE(epoll_ctl, INT(0, (scmp_datum_t)w->place.watch_fd)),
		/* Of the log file: has it a name yet?  (lib/log_sink.c) */
		ONE(fstat, INT(0, (scmp_datum_t)log_descriptor())),
		/* Syslog's socket is not connected (lib/log.c): an address, on
		 * that one. */
		TWO(sendto, INT(0, (scmp_datum_t)log_syslog_descriptor()),
		    INT(3, SEND_FLAGS)),
	};
	int error = seccomp_filter_permit(filter, known, 1, 0);

	if (error == 0 && log_descriptor() != -1)
		error = seccomp_filter_permit(filter, &known[1], 1, 0);
	if (error == 0 && log_syslog_descriptor() != -1)
		error = seccomp_filter_permit(filter, &known[2], 1, 0);
	return error;
}

/* Returns 0 or -errno. */
static int
sandbox_load(const struct worker *w, bool log_only)
{
	scmp_filter_ctx filter = seccomp_filter_begin(log_only);
	int error;

	if (filter == NULL)
		return -ENOMEM;
	error = seccomp_filter_permit(filter, permits,
	    sizeof(permits) / sizeof(permits[0]), 3);
	if (error == 0)
		error = sandbox_permit_known(filter, w);
	return seccomp_filter_load(filter, error);
}

static void
sandbox_filter_calls(const struct worker *w)
{
	int error;

	seccomp_filter_settle_time_zone();
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
