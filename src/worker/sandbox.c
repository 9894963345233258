/* SPDX-License-Identifier: ISC */
/*
 * The sandbox: the system calls that workers make, with the arguments that
 * matter; the kernel kills a worker that makes another one.
 *
 * How it kills: the call is not made, and SIGSYS is sent instead.  Our handler
 * notes the number for the master, which logs the name, and dies.  An intruder
 * who already commands this process may keep the handler from being honest, or
 * from dying; the call is not made in any case, and the kernel's audit log has
 * a line of its own.
 *
 * Files, programs, processes and new sockets are out of reach.  Descriptors
 * that are open are not: the table is shared, and a filter cannot tell which
 * are whose.  echod(8), SECURITY CONSIDERATIONS, says what follows.
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
	/* An echo.  Asked for first, see sandbox_load().  No address: what is
	 * sent goes to whom the socket is connected. */
	TWO(sendto, INT(3, SEND_FLAGS), NULL_POINTER(4)), ANY(recvfrom),
	ANY(epoll_pwait),

	/* Connections come, are watched and go.  Sockets are taken from
	 * listeners, never made. */
	ONE(accept4, INT(3, SOCK_NONBLOCK)),
	/* Of its own instance, see sandbox_permit_known(); only to take out, of a
	 * slot that it takes over. */
	ONE(epoll_ctl, INT(1, EPOLL_CTL_DEL)), ANY(shutdown), ANY(close),
	/* How to go on after a death: worker/connection/tcp_info.c, recover.c. */
	TWO(getsockopt, INT(1, IPPROTO_TCP), INT(2, TCP_INFO)),
	TWO(getsockopt, INT(1, SOL_SOCKET), INT(2, SO_COOKIE)),
	TWO(getsockopt, INT(1, SOL_SOCKET), INT(2, SO_ACCEPTCONN)),
	/* tcp_info_hear() */
	TWO(setsockopt, INT(1, IPPROTO_IP), INT(2, IP_MINTTL)),
	TWO(setsockopt, INT(1, IPPROTO_IPV6), INT(2, IPV6_MINHOPCOUNT)),
	ANY(getsockname), ANY(getpeername), ONE(ioctl, INT(1, SIOCINQ)),
	ONE(ioctl, INT(1, SIOCOUTQ)),

	/* Waking others and being woken (eventfd_read, eventfd_write), and
	 * lines of the log.  Where there is no poll, libc uses ppoll. */
	ANY(read), ANY(write), ANY(poll), ANY(ppoll),
	/* What libc says on standard error before it aborts. */
	ONE(writev, INT(0, STDERR_FILENO)),

	/* The time is asked of the vDSO, but not with every clock source. */
	ANY(clock_gettime), ANY(gettimeofday), ANY(time),
	ANY(sched_yield), /* admit() of accept.c */
	/* rest() of loop.c: nanosleep(3) is the one or the other. */
	ANY(clock_nanosleep), ANY(nanosleep),

	/* Memory: windows given back, and malloc(3): the list of the hot, on
	 * huge pages or with names if the administrator tunes it so.  Nothing
	 * that can be executed, no file. */
	ANY(brk),
	TWO(mmap, ARG(2, PROT_EXEC, 0), ARG(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	ONE(mprotect, ARG(2, PROT_EXEC, 0)), ANY(mremap), ANY(munmap),
	ONE(madvise, INT(2, MADV_REMOVE)), ONE(madvise, INT(2, MADV_DONTNEED)),
	ONE(madvise, INT(2, MADV_HUGEPAGE)), ONE(prctl, INT(0, PR_SET_VMA)),
	ANY(getrandom), /* its key, at the first use */

	/* Signals: asking for one, coming back from a handler or a stop
	 * (SIGSTOP, SIGCONT), abort(3).  Handlers are set before. */
	ANY(rt_sigpending), ANY(rt_sigprocmask), ANY(rt_sigreturn),
	ANY(restart_syscall),

	ANY(getpid), ANY(gettid), ANY(getppid), ANY(exit_group),

	/*
	 * Not here although programs like this one are often seen to make
	 * them: futex (one thread never waits for another), fstat of more than
	 * the log file, ioctl TCGETS and lseek (stdio), rseq, set_robust_list
	 * and membarrier (threads), open and stat of /etc/localtime (see
	 * seccomp_filter_settle_time_zone()), rt_sigaction (of abort(3), if its signal did
	 * not kill).
	 */
};

/* Where sandbox_denied() leaves word. */
static struct slot *accused;

static void
sandbox_denied(int signo, siginfo_t *info, void *context)
{
	(void)context;
	/* kill(1) makes this signal, too. */
	if (info->si_code == SYS_SECCOMP)
		atomic_store(&accused->denied,
		    (uint64_t)info->si_arch << 32 | (uint32_t)info->si_syscall);
	/* Delivered at the return, with its default action again: the core
	 * shows who made the call. */
	(void)raise(signo);
}

/* Of some descriptors that this process knows by their numbers: what workers
 * may do with them.  The numbers are not asked of the arena. */
static int
sandbox_permit_known(scmp_filter_ctx filter, const struct worker *w)
{
	const struct permit known[] = {
		/* What it may put something into: its own epoll instance. */
		ONE(epoll_ctl, INT(0, (scmp_datum_t)w->watch_fd)),
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
	/* For abort(3) and sandbox_denied(). */
	if (error == 0)
		error = seccomp_filter_permit_raise(filter, SIGABRT);
	if (error == 0)
		error = seccomp_filter_permit_raise(filter, SIGSYS);
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
	/* A worker executes nothing; this holds without a filter, too. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifdef HAVE_SECCOMP
	if (w->config->sandbox != SANDBOX_NO)
		sandbox_filter_calls(w);
#else
	(void)w;
#endif
}
