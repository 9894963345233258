/* SPDX-License-Identifier: ISC */
/*
 * An echod whose handler does what its clients say, as if they had taken it
 * over: a line names a system call, and the worker makes it.  Any other line
 * goes back.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "handler/handler.h"
#include "shared/arena.h"

static const struct sockaddr_un somebody = { AF_UNIX, "/dev/log" };

/* Memory to read and write, made executable afterwards. */
static long
make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

/* Something that libc does not bring to a good end: heap corruption. */
static long
corrupt(void)
{
	char *p = malloc(100);
	void *volatile inside = p + 1;

	free(inside);
	return 0;
}

/*
 * The arena's header.  `in` lies in a slot's scratch buffer, which is in the
 * arena: the header is where the mapping begins.
 */
static struct arena_header *
header_of(const char *in)
{
	uintptr_t p = (uintptr_t)in & ~(uintptr_t)4095;

	while (((const struct arena_header *)p)->magic != ARENA_MAGIC)
		p -= 4096;
	return (struct arena_header *)p;
}

/* Everything before what workers tell each other; twice, in case the one or the
 * other is looked at. */
static void
spoil(struct arena_header *h)
{
	for (int i = 0; i < 2; i++) {
		memset((void *)h, i == 0 ? 0xff : 0,
		    offsetof(struct arena_header, descriptor_end));
		atomic_store(&h->loglevel, 9);
		(void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 },
		    NULL);
	}
	atomic_store(&h->stop_deadline, 1);
	abort();
}

/* Close every connection to a port of ours. */
static void
hang_up(unsigned port)
{
	for (int fd = 3; fd < 1000; fd++) {
		struct sockaddr_in in;
		socklen_t len = sizeof(in), size = sizeof(int);
		int listening = 1;

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
			&size) == 0 &&
		    listening == 0 &&
		    getsockname(fd, (struct sockaddr *)&in, &len) == 0 &&
		    in.sin_family == AF_INET && ntohs(in.sin_port) == port)
			close(fd);
	}
}

/* Into whatever instance there is, but the worker's own. */
static int
events_elsewhere(void)
{
	struct epoll_event e = { .events = EPOLLOUT, .data.u64 = UINT64_MAX };

	return epoll_ctl(1, EPOLL_CTL_ADD, 2, &e);
}

#define DEED(word, expression) \
	if (strcmp(line, word) == 0) \
	return (void)(expression)

static void
obey(const char *line, const char *in)
{
	static char name[] = "true";
	char *const argv[] = { name, NULL };
	char byte = 0;
	int fd = -1;

	(void)fd;
	/* A way to code, or to files. */
	DEED("open", open("/etc/passwd", O_RDONLY));
	DEED("openat2", syscall(__NR_openat2, -100, "/", NULL, 0));
	DEED("unlink", unlink("./nothing-of-that-name"));
	DEED("execve", execve("/bin/true", argv, NULL));
	DEED("execveat",
	    syscall(SYS_execveat, -100, "/bin/true", argv, NULL, 0));
	DEED("mmap-exec",
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0));
	DEED("mmap-file", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0));
	DEED("mprotect-exec", make_executable());
	DEED("memfd", memfd_create("x", 0));
	/* Other processes. */
	DEED("fork", fork());
	DEED("clone3", syscall(SYS_clone3, NULL, 0));
	DEED("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	DEED("kill", kill(getppid(), 0));
	DEED("tgkill", syscall(SYS_tgkill, getppid(), getppid(), SIGABRT));
	DEED("tgkill-other", syscall(SYS_tgkill, getpid(), getpid(), SIGTERM));
	DEED("vm-write",
	    syscall(SYS_process_vm_writev, getppid(), 0, 0, 0, 0, 0));
	DEED("pidfd", syscall(__NR_pidfd_getfd, 0, 0, 0));
	/* The network. */
	DEED("socket", socket(AF_INET, SOCK_STREAM, 0));
	DEED("socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 0));
	DEED("connect",
	    connect(0, (const struct sockaddr *)&somebody, sizeof(somebody)));
	DEED("bind",
	    bind(0, (const struct sockaddr *)&somebody, sizeof(somebody)));
	DEED("listen", listen(0, 1));
	DEED("accept", accept(0, NULL, NULL));
	DEED("accept-cloexec", accept4(0, NULL, NULL, SOCK_CLOEXEC));
	DEED("sendmsg", sendmsg(0, NULL, 0));
	DEED("send-oob", send(0, &byte, 1, MSG_OOB));
	DEED("send-to",
	    sendto(0, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&somebody, sizeof(somebody)));
	DEED("setsockopt",
	    setsockopt(0, SOL_SOCKET, SO_RCVBUF, &fd, sizeof(fd)));
	DEED("getsockopt", getsockopt(0, SOL_SOCKET, SO_PEERCRED, NULL, NULL));
	/* Descriptors and this process. */
	DEED("dup", dup(0));
	DEED("dup2", dup2(0, 1));
	DEED("fcntl", fcntl(0, F_SETFD, 0));
	DEED("ftruncate", ftruncate(0, 0));
	DEED("ioctl", ioctl(0, TIOCSTI, &byte));
	DEED("prctl", prctl(PR_SET_DUMPABLE, 1));
	DEED("madvise", madvise(NULL, 0, MADV_DOFORK));
	DEED("sigaction", syscall(SYS_rt_sigaction, SIGSYS, NULL, NULL, 8));
	DEED("writev", syscall(SYS_writev, 1, NULL, 0));
	DEED("io-uring", syscall(SYS_io_uring_setup, 1, NULL));
	DEED("bpf", syscall(SYS_bpf, 0, NULL, 0));
	DEED("setuid", syscall(SYS_setuid, 0));
	DEED("unknown", syscall(9999));
#ifdef __x86_64__
	/* getpid, but as an i386 program asks for it. */
	if (strcmp(line, "i386") == 0)
		__asm__ volatile("int $0x80" : : "a"(20) : "memory");
	DEED("x32", syscall(0x40000000 | SYS_getpid));
#endif
	DEED("watch", events_elsewhere());
	/* Not denied. */
	DEED("spoil", spoil(header_of(in)));
	if (strncmp(line, "hang-up ", 8) == 0)
		hang_up((unsigned)strtoul(line + 8, NULL, 10));
	DEED("abort", abort());
	DEED("corrupt", corrupt());
	DEED("memory", memset(malloc(1 << 24), 1, 1 << 24));
	DEED("nap", nanosleep(&(struct timespec){ .tv_nsec = 1000 }, NULL));
}

static int
echo_step(struct echod_step *s)
{
	const char *newline = memchr(s->in, '\n', s->in_len);
	char line[32];

	if (newline != NULL) {
		snprintf(line, sizeof(line), "%.*s", (int)(newline - s->in),
		    s->in);
		obey(line, s->in);
		s->consume = (size_t)(newline - s->in) + 1;
	} else if ((s->flags & ECHOD_FULL) != 0 || s->event == ECHOD_EOF)
		s->consume = s->in_len;
	s->pass = s->consume;
	return ECHOD_WAIT;
}

const struct echod_handler handler_echo = {
	.abi = ECHOD_ABI,
	.size = sizeof(handler_echo),
	.name = "echo",
	.version = PACKAGE_VERSION,
	.in_max = ECHOD_IN_LIMIT,
	.out_max = 1,
	.step = echo_step,
};
