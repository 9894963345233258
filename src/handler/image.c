/* SPDX-License-Identifier: ISC */
/*
 * The handlers image: made by a child that loads modules, read by processes
 * that do not.
 */
#include "handler/image.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bsd/string.h>
#include <bsd/unistd.h>

#include "handler/contract.h"
#include "handler/handler.h"
#include "lib/limits.h"
#include "lib/pidfd.h"
#include "lib/wait_status.h"

#define IMAGE_MAGIC UINT64_C(0x6567616d69646368)
/* A module that is not done by then hangs, ms. */
#define IMAGE_PATIENCE 5000
#define IMAGE_CHILD_MEMFD 3
#define IMAGE_MARK UINT64_C(14695981039346656037)

enum image_progress {
	IMAGE_OPENING,
	IMAGE_LOADING,
	IMAGE_CONFIGURING,
	IMAGE_WRITING
};

/* The beginning of the memfd; the data of configure() follows. */
struct image_file {
	uint64_t magic;
	uint32_t size;	   /* of this structure: another program's differs */
	uint32_t complete; /* 1: all is written */
	uint32_t service;  /* the one that the child is at */
	uint32_t progress; /* enum image_progress */
	uint32_t services;
	char why[IMAGE_WHY];
	struct image_entry entry[IMAGE_SERVICES];
};

/* The user and group that the service changes to.  Returns false if it does
 * not. */
static bool
image_identity(const struct image_request *r, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;
	const struct group *gr;

	if (r->user == NULL || r->user[0] == '\0' || geteuid() != 0)
		return false;
	pw = getpwnam(r->user);
	if (pw == NULL)
		return false;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (r->group != NULL && r->group[0] != '\0' &&
	    (gr = getgrnam(r->group)) != NULL)
		*gid = gr->gr_gid;
	return true;
}

uid_t
image_owner(const struct image_request *r)
{
	uid_t uid;
	gid_t gid;

	return image_identity(r, &uid, &gid) ? uid : geteuid();
}

int
image_memfd(void)
{
	return memfd_create("echod-handlers", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* A mark of bytes (FNV-1a), that goes on from the mark of those before. */
static uint64_t
image_mark(uint64_t mark, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		mark = (mark ^ p[i]) * UINT64_C(1099511628211);
	return mark;
}

/* A mark of what a service asks for. */
static uint64_t
image_asked(const struct image_service *s)
{
	uint64_t mark = image_mark(IMAGE_MARK, s->handler,
	    strlen(s->handler) + 1);

	for (unsigned i = 0; i < s->options; i++) {
		mark = image_mark(mark, s->option[i].name,
		    strlen(s->option[i].name) + 1);
		mark = image_mark(mark, s->option[i].value,
		    strlen(s->option[i].value) + 1);
	}
	return mark;
}

/* ---- the child */

/* Other rights than those of the service are not for code of a module. */
static int
image_become(const struct image_request *r)
{
	uid_t uid;
	gid_t gid;

	if (!image_identity(r, &uid, &gid))
		return 0;
	return initgroups(r->user, gid) == -1 ||
		setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1
	    ? -1
	    : 0;
}

/* The error of configure() begins with the name of an option: name its line. */
static int
image_option_fails(struct image_file *f, const struct image_service *s,
    const char *path, const char *error)
{
	size_t len = strcspn(error, ":");

	for (unsigned i = 0; error[len] == ':' && i < s->options; i++)
		if (strlen(s->option[i].name) == len &&
		    strncmp(s->option[i].name, error, len) == 0) {
			error += len + 1;
			error += strspn(error, " ");
			snprintf(f->why, sizeof(f->why), "%s: %s",
			    s->option[i].where, error);
			return -1;
		}
	snprintf(f->why, sizeof(f->why), "%s: %s: %s", s->where, path, error);
	return -1;
}

static int
image_errno(struct image_file *f, const struct image_service *s,
    const char *what)
{
	snprintf(f->why, sizeof(f->why), "%s: %s: %s", s->where, what,
	    strerror(errno));
	return -1;
}

/* Let the handler read its options.  Returns the size of its data, or -1. */
static ssize_t
image_configure(struct image_file *f, const struct image_service *s,
    const struct echod_handler *h, const char *path, char *data)
{
	struct echod_option option[IMAGE_OPTIONS];
	char error[512] = "";
	size_t n;

	if (h->configure == NULL && s->options > 0) {
		snprintf(f->why, sizeof(f->why),
		    "%s: handler %s takes no options", s->option[0].where,
		    h->name);
		return -1;
	}
	if (h->configure == NULL)
		return 0;
	for (unsigned i = 0; i < s->options; i++)
		option[i] = (struct echod_option){ s->option[i].name,
			s->option[i].value };
	f->progress = IMAGE_CONFIGURING;
	n = h->configure(option, s->options, data, error, sizeof(error));
	f->progress = IMAGE_WRITING;
	error[sizeof(error) - 1] = '\0';
	if (error[0] != '\0')
		return image_option_fails(f, s, path, error);
	if (n <= ECHOD_CONFIG_LIMIT)
		return (ssize_t)n;
	snprintf(f->why, sizeof(f->why),
	    "%s: %s: its configure() returned %zu, the limit is %d", s->where,
	    path, n, ECHOD_CONFIG_LIMIT);
	return -1;
}

static void
image_describe(struct image_entry *e, const struct echod_handler *h)
{
	strlcpy(e->name, h->name, sizeof(e->name));
	strlcpy(e->version, h->version, sizeof(e->version));
	e->state_version = h->state_version;
	e->state_size = h->state_size;
	e->in_max = h->in_max;
	e->out_max = h->out_max;
	e->migrates = h->migrate != NULL;
	e->probe_size = h->probe_size;
	e->answer_size = h->answer_size;
	e->answers = h->answer != NULL;
	if (h->probe_size > 0)
		memcpy(e->probe, h->probe, h->probe_size);
	if (h->answer_size > 0)
		memcpy(e->answer, h->answer, h->answer_size);
}

/* Find the handler of a service: built in, or in a module. */
static const struct echod_handler *
image_find(struct image_file *f, const struct image_service *s,
    struct image_entry *e, uid_t owner)
{
	const struct echod_handler *h = handler_builtin(s->handler);
	struct load_file file;
	char why[IMAGE_WHY / 2];

	f->progress = IMAGE_OPENING;
	if (h != NULL)
		return h;
	if (load_open(s->handler, owner, &file, why, sizeof(why)) == 0) {
		strlcpy(e->path, file.path, sizeof(e->path));
		e->device = file.device;
		e->inode = file.inode;
		e->mtime_ns = file.mtime_ns;
		e->size = file.size;
		f->progress = IMAGE_LOADING;
		/* It stays open: a number is a library's name to dlopen(3). */
		h = load_module(file.fd, file.path, why, sizeof(why));
	}
	if (h == NULL)
		snprintf(f->why, sizeof(f->why), "%s: %s", s->where, why);
	return h;
}

static int
image_fill_service(struct image_file *f, const struct image_service *s,
    struct image_entry *e, uid_t owner, int memfd, uint64_t *end)
{
	const struct echod_handler *h;
	long page = sysconf(_SC_PAGESIZE);
	ssize_t n;
	/* What another service has left there is gone. */
	char *data = mmap(NULL, ECHOD_CONFIG_LIMIT + (size_t)page,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return image_errno(f, s, "memory");
	/* Writing more than the limit is a crash here, and not later. */
	(void)mprotect(data + ECHOD_CONFIG_LIMIT, (size_t)page, PROT_NONE);
	strlcpy(e->service, s->name, sizeof(e->service));
	e->asked = image_asked(s);
	h = image_find(f, s, e, owner);
	if (h == NULL)
		return -1;
	image_describe(e, h);
	n = image_configure(f, s, h, e->path[0] != '\0' ? e->path : e->name,
	    data);
	if (n == -1)
		return -1;
	if (n > 0 && pwrite(memfd, data, (size_t)n, (off_t)*end) != n)
		return image_errno(f, s, "memory for its options");
	e->data_size = (uint32_t)n;
	e->data_at = *end;
	*end += (uint64_t)n;
	(void)munmap(data, ECHOD_CONFIG_LIMIT + (size_t)page);
	return 0;
}

/* Fill in the image; in the child, with the rights of the service. */
static int
image_fill(int memfd, const struct image_request *r, bool child)
{
	struct image_file *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
	    MAP_SHARED, memfd, 0);
	uint64_t end = sizeof(*f);
	uid_t owner = image_owner(r);
	int result = 0;

	if (f == MAP_FAILED)
		return -1;
	if (child && image_become(r) == -1) {
		snprintf(f->why, sizeof(f->why), "user %s: %s", r->user,
		    strerror(errno));
		result = -1;
	}
	for (unsigned i = 0; i < r->services && result == 0; i++) {
		f->service = i;
		result = image_fill_service(f, &r->service[i], &f->entry[i],
		    owner, memfd, &end);
	}
	f->services = r->services;
	f->complete = result == 0;
	(void)munmap(f, sizeof(*f));
	return result;
}

static void
image_child(int memfd, const struct image_request *r)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Signals do what they do by themselves. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Its output is not ours; an error may tell more than a signal. */
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	if (memfd != IMAGE_CHILD_MEMFD && dup2(memfd, IMAGE_CHILD_MEMFD) == -1)
		_exit(1);
	closefrom(IMAGE_CHILD_MEMFD + 1);
	_exit(image_fill(IMAGE_CHILD_MEMFD, r, true) == 0 ? 0 : 1);
}

/* ---- the others */

/* Wait for the child; kill it if it hangs.  Returns its wait status. */
static int
image_await(pid_t pid, bool *hung)
{
	int pidfd = pidfd_make(pid), status = 0;
	struct pollfd p = { pidfd, POLLIN, 0 };
	int left = IMAGE_PATIENCE;

	/* Without pidfds: ask now and then. */
	if (pidfd != 0)
		*hung = poll(&p, 1, left) == 0;
	else {
		siginfo_t info = { .si_pid = 0 };

		while ((left -= 10) > 0 && info.si_pid == 0 &&
		    waitid(P_PID, (id_t)pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == 0)
			(void)poll(NULL, 0, 10);
		*hung = left <= 0;
	}
	if (*hung)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	pidfd_close(&pidfd);
	return status;
}

/* Bytes that are not printable may be commands for a terminal. */
static void
image_clean(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* Copy the beginning of the memfd.  NULL if it has none. */
static struct image_file *
image_load(int memfd)
{
	struct image_file *f = calloc(1, sizeof(*f));

	if (f == NULL ||
	    (pread(memfd, f, sizeof(*f), 0) == (ssize_t)sizeof(*f) &&
		f->magic == IMAGE_MAGIC && f->size == sizeof(*f)))
		return f;
	free(f);
	errno = EINVAL;
	return NULL;
}

/* The child has not done it: say why. */
static void
image_tell_failure(const struct image_file *f, const struct image_request *r,
    int status, bool hung, char *why, size_t size)
{
	static const char *const doing[] = { "to open it", "its loading",
		"its configure()", "its configure()" };
	const struct image_service
	    *s = &r->service[f->service < r->services ? f->service : 0];
	const struct image_entry *e = &f->entry[s - r->service];
	bool has_path = memchr(e->path, '\0', sizeof(e->path)) != NULL &&
	    e->path[0] != '\0';

	if (!hung && WIFEXITED(status) && f->why[0] != '\0' &&
	    memchr(f->why, '\0', sizeof(f->why)) != NULL)
		strlcpy(why, f->why, size);
	else
		snprintf(why, size, "%s: %s: %s %s%s", s->where,
		    has_path ? e->path : s->handler,
		    doing[f->progress <= IMAGE_WRITING ? f->progress : 0],
		    !hung && WIFSIGNALED(status) ? "was " : "",
		    hung ? "takes longer than 5 s" : wait_status_words(status));
	image_clean(why);
}

/* Our own code needs no process of its own. */
static bool
image_needs_module(const struct image_request *r)
{
	for (unsigned i = 0; i < r->services; i++)
		if (handler_builtin(r->service[i].handler) == NULL)
			return true;
	return false;
}

/* Let a child fill in the image.  Returns its wait status, or -1 with a reason
 * in `why`. */
static int
image_run(int memfd, const struct image_request *r, bool *hung, char *why,
    size_t size)
{
	pid_t pid = fork();

	if (pid == 0)
		image_child(memfd, r);
	if (pid != -1)
		return image_await(pid, hung);
	snprintf(why, size, "a process that loads handlers: %s%s",
	    strerror(errno), limits_why_no_process(errno));
	return -1;
}

int
image_make(int memfd, const struct image_request *r, char *why, size_t size)
{
	struct image_file *f = calloc(1, sizeof(*f));
	bool hung = false, made = false;
	int status = 0;

	if (f != NULL) {
		f->magic = IMAGE_MAGIC;
		f->size = sizeof(*f);
		made = ftruncate(memfd, 0) == 0 &&
		    pwrite(memfd, f, sizeof(*f), 0) == (ssize_t)sizeof(*f);
		free(f);
	}
	if (!made) {
		snprintf(why, size, "memory for handlers: %s", strerror(errno));
		return -1;
	}
	if (!image_needs_module(r))
		(void)image_fill(memfd, r, false);
	else if ((status = image_run(memfd, r, &hung, why, size)) == -1)
		return -1;
	f = image_load(memfd);
	if (f == NULL) {
		snprintf(why, size, "handlers: %s", strerror(errno));
		return -1;
	}
	made = !hung && status == 0 && f->complete == 1;
	if (!made)
		image_tell_failure(f, r, status, hung, why, size);
	free(f);
	return made ? 0 : -1;
}

int
image_seal(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS,
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

static bool
image_is_text(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* True if `e` can be what a child of image_make() has found. */
static bool
image_is_sane(const struct image_entry *e, uint64_t bytes)
{
	return image_is_text(e->name, sizeof(e->name)) && e->name[0] != '\0' &&
	    image_is_text(e->version, sizeof(e->version)) &&
	    e->version[0] != '\0' &&
	    memchr(e->path, '\0', sizeof(e->path)) != NULL &&
	    (e->path[0] == '\0' || e->path[0] == '/') &&
	    e->state_size <= ECHOD_STATE_LIMIT && e->in_max > 0 &&
	    e->in_max <= ECHOD_IN_LIMIT && e->out_max > 0 &&
	    e->out_max <= ECHOD_OUT_LIMIT && e->migrates <= 1 &&
	    e->probe_size <= IMAGE_PROBE && e->answer_size <= IMAGE_PROBE &&
	    e->data_size <= ECHOD_CONFIG_LIMIT && e->data_at <= bytes &&
	    e->data_size <= bytes - e->data_at;
}

/* Read some of the data of `e`, from `at`.  Returns 0 at its end, or -1 with
 * errno set. */
static ssize_t
image_read_data(int memfd, const struct image_entry *e, size_t at, char *block,
    size_t size)
{
	size_t left = e->data_size - at;
	ssize_t n;

	if (left == 0)
		return 0;
	n = pread(memfd, block, left < size ? left : size,
	    (off_t)(e->data_at + at));
	if (n == 0)
		errno = EIO; /* it was longer */
	return n == 0 ? -1 : n;
}

static int
image_mark_data(int memfd, struct image_entry *e)
{
	char block[4096];
	size_t at = 0;
	ssize_t n;

	e->data_mark = IMAGE_MARK;
	while ((n = image_read_data(memfd, e, at, block, sizeof(block))) > 0) {
		e->data_mark = image_mark(e->data_mark, block, (size_t)n);
		at += (size_t)n;
	}
	return (int)n;
}

int
image_read(int memfd, const struct image_request *r, struct image *image,
    char *why, size_t size)
{
	struct image_file *f = image_load(memfd);
	struct stat st;
	const char *problem = NULL;

	if (f == NULL || fstat(memfd, &st) == -1)
		problem = strerror(errno);
	else if (f->complete != 1 || f->services > IMAGE_SERVICES)
		problem = "the image is not whole";
	else if (f->services != r->services)
		problem = "the configuration has changed since its check";
	for (unsigned i = 0; problem == NULL && i < f->services; i++) {
		const struct image_service *s = &r->service[i];

		if (!image_is_sane(&f->entry[i], (uint64_t)st.st_size))
			problem = "the image is damaged";
		else if (memchr(f->entry[i].service, '\0',
			     sizeof(f->entry[i].service)) == NULL ||
		    strcmp(f->entry[i].service, s->name) != 0 ||
		    f->entry[i].asked != image_asked(s))
			problem =
			    "the configuration has changed since its check";
		else {
			image->entry[i] = f->entry[i];
			if (image_mark_data(memfd, &image->entry[i]) == -1)
				problem = strerror(errno);
		}
	}
	if (problem == NULL)
		image->services = f->services;
	else
		snprintf(why, size, "handlers: %s", problem);
	free(f);
	return problem == NULL ? 0 : -1;
}

int
image_data(int memfd, const struct image_entry *e)
{
	char block[4096];
	size_t at = 0;
	ssize_t n;
	int fd, saved;

	errno = 0;
	if (e->data_size == 0)
		return -1;
	fd = memfd_create("echod-options", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -1;
	while ((n = image_read_data(memfd, e, at, block, sizeof(block))) > 0) {
		if (write(fd, block, (size_t)n) != n)
			break;
		at += (size_t)n;
	}
	if (n == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		return fd;
	saved = errno != 0 ? errno : ENOSPC;
	close(fd);
	errno = saved;
	return -1;
}
